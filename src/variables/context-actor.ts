import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { Exit } from '../actors/exit-reason.js'
import { Call, Cast, type From, isDown, KeptWire } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import type { Placement } from '../actors/spawner.js'
import { BeamlineError, shown } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import type { Change, ManyWritten } from './change.js'
import { claimMemory, tellReady } from './context-keeper.js'
import { type ContextFacts, tablesOf } from './facts.js'
import { LocalState, type Retention } from './local-state.js'
import { managerName, observerActor } from './observer-actor.js'
import type {
  ContextMessage,
  ContextRequest,
  ManagerMessage,
  ManagerRequest,
  Resumption,
  WatchRequest,
} from './requests.js'
import { ScalarWriter } from './scalar-writer.js'
import { isContextMessage, isContextRequest } from './shape.js'
import { SharedLog, type SharedLogMemory } from './shared-log.js'
import { type BatchCommit, type Commit, type Write, written } from './state.js'
import { ValueTable } from './value-table.js'

/** What a context is made with. */
export interface ContextArgs {
  readonly id: string
  readonly retention: Retention
  /** Where the modules of each namespace are. */
  readonly modules: Readonly<Record<string, string>>
  /** How it is started again when its thread has died; undefined when a supervisor does that. */
  readonly start: { readonly thread: Exclude<Placement, 'isolated'>; readonly names: readonly string[] } | undefined
  /** Whether it was there before. */
  readonly again: boolean
}

/** The process that is a context. Loaded by name, on a system thread unless asked otherwise. */
export const contextActor = behaviour<ContextArgs>(async (self, args) => {
  const manager = await managerOfThread(self)
  const state = await stateOf(self, args)
  // Somebody may have ended it while it came back.
  self.signal.throwIfAborted()
  const context = new ContextActor(self, args, manager, state)
  // Before whoever starts it hears that it runs: it outlives its thread from then on.
  tellReady(self)
  return context
})

async function stateOf(self: Process, { retention, ...args }: ContextArgs): Promise<LocalState> {
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
async function managerOfThread(self: Process): Promise<Pid> {
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

/**
 * The single writer of its variables: validates, commits, has the observers notified, and answers, one request at a
 * time.
 */
class ContextActor implements Behaviour {
  readonly #self: Process
  readonly #args: ContextArgs
  readonly #manager: Pid
  readonly #monitor: Ref
  readonly #state: LocalState
  readonly #scalars: ScalarWriter

  constructor(self: Process, args: ContextArgs, manager: Pid, state: LocalState) {
    this.#self = self
    this.#args = args
    this.#manager = manager
    this.#monitor = self.monitor(manager)
    this.#state = state
    this.#scalars = new ScalarWriter(self, state, {
      commit: (variable, from) => {
        const { version, revision } = variable
        this.#commit({ changes: [variable.change()] }, from, { version, revision })
      },
      refused: (error) => this.#warn(error),
    })
    const key = self.pid.toString()
    tablesOf(self).set(key, ValueTable.attach(state.memory.table))
    self.signal.addEventListener('abort', () => tablesOf(self).delete(key))
    for (const { id, name } of state.list('*')) this.#tell({ kind: 'track', id, name, context: self.pid })
  }

  get trusted(): boolean {
    return !this.#state.runsUserCode
  }

  handle(message: unknown): void | Promise<void> {
    if (message instanceof KeptWire) return this.#scalars.takeLater(message)
    if (message instanceof Call) return this.#answer(message.from, message.request)
    // Anyone may send to this pid: what no handle would say is nobody's.
    if (message instanceof Cast) return isContextMessage(message.request) ? this.#told(message.request) : undefined
    // Without the manager no watch would hear of a commit: better no context than a silent one.
    if (isDown(message) && this.#monitor.equals(message.ref)) throw new Exit(message.reason)
  }

  takeWire(wire: Wire): void {
    this.#scalars.take(wire)
  }

  /** A refused request rejects the caller's promise and changes nothing; any other error is a fault and ends the context. */
  #answer(from: From, request: unknown): void | Promise<void> {
    try {
      if (!isContextRequest(request)) throw notAsked(request)
      const pending = this.#serve(from, request)
      return pending instanceof Promise ? pending.catch((error) => this.#refuse(from, error)) : pending
    } catch (error) {
      this.#refuse(from, error)
    }
  }

  #refuse(from: From, error: unknown): void {
    if (!(error instanceof BeamlineError)) throw error
    this.#self.replyError(from, error)
  }

  #serve(from: From, request: ContextRequest): void | Promise<void> {
    const state = this.#state
    switch (request.kind) {
      case 'set': {
        const commit = state.set(request.write)
        return this.#commit(commit, from, written(commit))
      }
      case 'set-many': {
        const commit = state.setMany(request.writes, request.atomic)
        return this.#commit(commit, from, manyWritten(commit, state.revision))
      }
      case 'rollback': {
        const commit = state.rollback(request.name, request.version)
        return this.#commit(commit, from, { ...written(commit), value: commit.changes[0]?.value })
      }
      case 'define':
        return this.#define(from, request.definition)
      case 'delete':
        return this.#delete(from, request.name)
      case 'watch':
        return this.#watch(from, request.watch)
      case 'watchers':
        return this.#tell({ kind: 'list', context: this.#self.pid, from })
      case 'stop':
        return this.#stop()
      default:
        this.#self.reply(from, this.#outcome(request))
    }
  }

  #outcome(request: ContextRequest): unknown {
    switch (request.kind) {
      case 'get':
        return this.#values(request.names)
      case 'describe':
        return this.#state.describe(request.name)
      case 'list':
        return this.#state.list(request.pattern)
      case 'history':
        return this.#state.history(request.name, request.limit)
      case 'lease':
        return this.#state.lease(request.name, request.holder)
      case 'release':
        return this.#state.release(request.name, request.how)
      case 'open':
        return this.#facts()
      default:
        throw notAsked(request)
    }
  }

  #values(names: readonly string[]): unknown[] {
    if (!Array.isArray(names)) throw new BeamlineError('INVALID_TYPE', 'getMany: names is no list: give one: [name]')
    return names.map((name) => this.#state.describe(name).value)
  }

  #commit({ changes }: Commit, from: From | undefined, value?: unknown): void {
    this.#tell({ kind: 'commit', changes, answer: from && { from, value } })
  }

  async #define(from: From, definition: Parameters<LocalState['define']>[0]): Promise<void> {
    const info = await this.#state.define(definition)
    this.#tell({ kind: 'track', id: info.id, name: info.name, context: this.#self.pid })
    this.#self.reply(from, info)
  }

  #delete(from: From, name: string): void {
    const commit = this.#state.delete(name)
    this.#commit(commit, from)
    this.#tell({ kind: 'untrack', id: (commit.changes[0] as Change).id, context: this.#self.pid })
  }

  /** One turn takes the present values and registers the observer: what was before is told, all after follows. */
  #watch(from: From, { ref, owner, relay, names, includeInitial, sinceRevision }: WatchRequest): void {
    const infos = names.map((name) => this.#state.describe(name))
    const missed = sinceRevision === undefined ? [] : this.#state.since(sinceRevision, new Set(names))
    const begin = includeInitial ? names.map((name) => this.#state.initial(name)) : missed
    const variables = infos.map(({ id, name }) => ({ id, name }))
    const observer = { ref, owner, relay, context: this.#self.pid, variables }
    const value = { manager: this.#manager, revision: this.#state.revision }
    const { revision } = this.#state
    this.#tell({ kind: 'observe', observer, begin, revision, lost: undefined, answer: { from, value } })
  }

  /** A watch of the process before this one goes on after what it has seen, under the same reference. */
  #resume({ ref, owner, relay, ids, since }: Resumption): void {
    const variables = this.#state.identified(new Set(ids))
    const { changes: begin, lost } = this.#state.after(since, new Set(ids))
    const observer = { ref, owner, relay, context: this.#self.pid, variables }
    this.#tell({ kind: 'observe', observer, begin, revision: this.#state.revision, lost, answer: undefined })
  }

  /** Commits and their answers may still wait in the manager's mailbox; the news of the end must not overtake them. */
  async #stop(): Promise<void> {
    await this.#self.call(this.#manager, { kind: 'fence' } satisfies ManagerRequest, {
      timeout: Number.POSITIVE_INFINITY,
    })
    throw new Exit('normal')
  }

  #facts(): ContextFacts {
    const { id, modules } = this.#args
    const { table, log } = this.#state.memory
    return { id, backend: this.#state.backend, table, log, modules }
  }

  #told(message: ContextMessage): void {
    if (message.kind === 'put') return this.#put(message.write)
    if (message.kind === 'resume') return this.#resume(message.watch)
    message.port.postMessage(this.#facts())
    message.port.close()
    const flag = new Int32Array(message.flag)
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
  }

  /** Nobody waits for a `put`: what is refused is reported on the context's thread. */
  #put(write: Write): void {
    try {
      this.#commit(this.#state.set(write), undefined)
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#warn(error)
    }
  }

  #warn({ code, message }: BeamlineError): void {
    process.emitWarning(`context ${this.#args.id}: put was refused: ${message}`, { code: `BEAMLINE_${code}` })
  }

  #tell(message: ManagerMessage): void {
    this.#self.send(this.#manager, message)
  }
}

function notAsked(request: unknown): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `a context is not asked ${shown(request)}: use its handle`)
}

function manyWritten({ changes, errors }: BatchCommit, present: number): ManyWritten {
  const versions = Object.fromEntries(changes.map(({ name, meta }) => [name, meta.version]))
  return { revision: changes.at(-1)?.meta.revision ?? present, versions, errors }
}
