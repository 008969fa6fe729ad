import type { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import type { Pid } from '../threads/pid.js'
import type { ContextArgs } from './context-args.js'
import type { StateMemory } from './state-store.js'
import type { Home } from './upstream.js'

/** The registered name of the process that keeps the contexts of a system. */
export const keeperName = 'beamline.contexts'

/** What the keeper is asked, by call. */
export type KeeperRequest =
  /** The memory of a context that begins: empty, or what one of the same id has left whose thread died. */
  | { readonly kind: 'claim'; readonly pid: Pid; readonly args: ContextArgs }
  /** Who is the context that this process has been: itself, the next once it runs, or none when the context has ended. */
  | { readonly kind: 'next'; readonly pid: Pid }
  /** The state of a context lives behind a bridge from now on. */
  | { readonly kind: 'moved'; readonly pid: Pid; readonly home: Home | undefined }
  /** A context that it waits for answers now. */
  | { readonly kind: 'ready'; readonly pid: Pid }

const actor = { module: new URL('./context-keeper-actor.js', import.meta.url), export: 'contextKeeperActor' }

/** @throws BeamlineError ALREADY_EXISTS for an id in use, STOPPED */
export function claimMemory(self: Process, args: ContextArgs): Promise<StateMemory> {
  return ask(self, { kind: 'claim', pid: self.pid, args }) as Promise<StateMemory>
}

/** The process that is the context which `pid` was, once it runs; undefined when the context has ended. */
export async function nextContext(self: Process, pid: Pid): Promise<Pid | undefined> {
  // What is on main ends with the system.
  if (pid.thread === MAIN) return undefined
  try {
    return (await ask(self, { kind: 'next', pid })) as Pid | undefined
  } catch (error) {
    if (error instanceof BeamlineError && error.code === 'STOPPED') return undefined
    throw error
  }
}

/** Tells the keeper, and its successor if it is killed meanwhile, that a context answers now. */
export function tellReady(self: Process): void {
  if (self.pid.thread === MAIN) return
  // Of a context or a system that ends meanwhile the keeper hears otherwise.
  ask(self, { kind: 'ready', pid: self.pid }).catch(() => {})
}

/** Has a context come back to where its state now lives, elsewhere or here, should its thread die. */
export async function tellMoved(self: Process, home: Home | undefined): Promise<void> {
  if (self.pid.thread !== MAIN) await ask(self, { kind: 'moved', pid: self.pid, home })
}

/** A keeper that was killed has a successor, which knows what it knew. */
async function ask(self: Process, request: KeeperRequest): Promise<unknown> {
  for (;;) {
    const keeper = await keeperOf(self)
    try {
      return await self.call(keeper, request, { timeout: Number.POSITIVE_INFINITY })
    } catch (error) {
      const died = error instanceof BeamlineError && error.code === 'NOPROC' && !self.system.isAlive(keeper)
      if (!died) throw error
    }
  }
}

async function keeperOf(self: Process): Promise<Pid> {
  for (;;) {
    const there = self.system.whereis(keeperName)
    if (there !== undefined) return there
    try {
      return await self.spawn(actor, undefined, { thread: 'main', name: keeperName, label: 'ContextKeeper' })
    } catch (error) {
      if (!(error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED')) throw error
    }
  }
}
