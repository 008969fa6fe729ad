import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import type { Pid } from '../threads/pid.js'
import { begin } from './adoption.js'
import type { ContextArgs } from './context-args.js'
import { claimMemory } from './context-keeper.js'
import { LocalState } from './local-state.js'
import { managerName, observerActor } from './observer-actor.js'
import { SharedLog, type SharedLogMemory } from './shared-log.js'

/** The state that a context begins with: nothing, what it is given, or what its process before has left. */
export async function stateOf(self: Process, { state: given, ...args }: ContextArgs): Promise<LocalState> {
  const state = await memoryOf(self, args)
  if (given === undefined || args.again || state.revision > 0) return state
  const { store, variables, historyLimit } = state.parts
  for (const variable of begin(store, given, historyLimit)) variables.set(variable.name, variable)
  return state
}

async function memoryOf(self: Process, { retention, ...args }: ContextArgs): Promise<LocalState> {
  // What is on main ends with main, and needs nobody to keep its memory.
  if (self.pid.thread === MAIN) {
    const state = LocalState.create(retention)
    endWithProcess(self, state.memory.log)
    return state
  }
  const memory = await claimMemory(self, { retention, ...args })
  endWithProcess(self, memory.log)
  try {
    return await LocalState.recover(memory, retention)
  } catch (error) {
    // It would fail again.
    SharedLog.end(memory.log)
    throw error
  }
}

/** The end of its process ends a context; a thread that dies says nothing: then the context goes on elsewhere. */
function endWithProcess(self: Process, log: SharedLogMemory): void {
  const end = () => {
    if (!Process.hostOf(self).stopping) SharedLog.end(log)
  }
  if (self.signal.aborted) end()
  else self.signal.addEventListener('abort', end)
}

/** The observer manager of the calling thread; the first who asks brings it to life. */
export async function managerOfThread(self: Process): Promise<Pid> {
  const name = managerName(self.pid.thread)
  const there = self.system.whereis(name)
  if (there !== undefined) return there
  try {
    return await self.spawn(observerActor, undefined, { name, label: 'ObserverManager' })
  } catch (error) {
    // Another context of this thread was first: it registered the name while this one waited for main's word.
    if (error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED') return self.system.pidOf(name)
    throw error
  }
}

/** By its id as well, unless another has it: then that one is in the same session, or is the session itself. */
export async function beFoundAs(self: Process, name: string): Promise<void> {
  try {
    await self.register(name)
  } catch (error) {
    if (!(error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED')) throw error
  }
}
