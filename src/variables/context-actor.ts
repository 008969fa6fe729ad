import { type Behaviour, behaviour } from '../actors/behaviour.js'
import { Exit } from '../actors/exit-reason.js'
import { Call, Cast, type From, isDown, KeptWire } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Wire } from '../threads/wire.js'
import type { Change } from './change.js'
import type { ContextArgs } from './context-args.js'
import { beFoundAs, managerOfThread, stateOf } from './context-birth.js'
import { tellReady } from './context-keeper.js'
import { registered } from './context-name.js'
import { type ContextFacts, tablesOf } from './facts.js'
import { feedStart, numbered } from './feed-start.js'
import { eventsOf, Feeds } from './feeds.js'
import type { LocalState } from './local-state.js'
import { RemoteState } from './remote-state.js'
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
import { type Commit, manyWritten, notAsked, type Write, written } from './state.js'
import type { Home } from './upstream.js'
import { ValueTable } from './value-table.js'

/** The process that is a context. Loaded by name, on a system thread unless asked otherwise. */
export const contextActor = behaviour<ContextArgs>(async (self, args) => {
  const manager = await managerOfThread(self)
  const state = await stateOf(self, args)
  // Somebody may have ended it while it came back.
  self.signal.throwIfAborted()
  const context = new ContextActor(self, args, manager, state)
  if (args.home !== undefined) await context.join(args.home)
  if (args.session !== args.id) await beFoundAs(self, registered(args.session))
  // Before whoever starts it hears that it runs: it outlives its thread from then on.
  tellReady(self)
  return context
})

/**
 * The single writer of its variables: validates, commits, has the observers notified, and answers, one request at a
 * time. Where the state is behind a bridge, it keeps the copy of it, and what is to be changed is asked there.
 */
class ContextActor implements Behaviour {
  readonly #self: Process
  readonly #args: ContextArgs
  readonly #manager: Pid
  readonly #monitor: Ref
  readonly #state: LocalState
  readonly #scalars: ScalarWriter
  readonly #feeds: Feeds
  readonly #remote: RemoteState

  constructor(self: Process, args: ContextArgs, manager: Pid, state: LocalState) {
    this.#self = self
    this.#args = args
    this.#manager = manager
    this.#monitor = self.monitor(manager)
    this.#state = state
    this.#feeds = new Feeds(self, args.session)
    this.#scalars = new ScalarWriter(self, state, {
      written: (variable) => this.#feeds.wrote(variable),
      commit: (variable, from) => {
        const { version, revision } = variable
        this.#notify([variable.change()], from, { version, revision })
      },
      refused: (error) => this.#warn(error),
    })
    this.#remote = new RemoteState(self, args.session, state.parts, this.#scalars, {
      tell: (message) => this.#tell(message),
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

  /** Its state is that of a session behind a bridge. */
  join(home: Home): Promise<void> {
    return this.#remote.open(home, this.#args.again ? 'rejoin' : 'join')
  }

  handle(message: unknown): void | Promise<void> {
    if (message instanceof KeptWire) {
      if (this.#remote.isOpen) return this.#remote.write(message.wire, message.from)
      return this.#scalars.takeLater(message)
    }
    if (message instanceof Call) return this.#answer(message.from, message.request)
    // Anyone may send to this pid: what no handle would say is nobody's.
    if (message instanceof Cast) return isContextMessage(message.request) ? this.#told(message.request) : undefined
    // Without the manager no watch would hear of a commit: better no context than a silent one.
    if (isDown(message) && this.#monitor.equals(message.ref)) throw new Exit(message.reason)
    this.#remote.take(message)
  }

  takeWire(wire: Wire): void {
    if (this.#remote.isOpen) this.#remote.write(wire, this.#scalars.askerOf(wire))
    else this.#scalars.take(wire)
  }

  /** A refused request rejects the caller's promise and changes nothing; any other error is a fault and ends the context. */
  #answer(from: From, request: unknown): void | Promise<void> {
    try {
      if (!isContextRequest(request)) throw notAsked(request)
      this.#feeds.flush()
      if (!this.#remote.isOpen) return this.#answerNow(from, request)
      const pending = this.#remote.serve(from, request, (asked = request) => this.#answerNow(from, asked))
      return pending instanceof Promise ? pending.catch((error) => this.#refuse(from, error)) : pending
    } catch (error) {
      this.#refuse(from, error)
    }
  }

  #answerNow(from: From, request: ContextRequest): void | Promise<void> {
    try {
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
        return this.#tell({ kind: 'list', context: this.#self.pid, from, backend: this.#remote.backend })
      case 'move':
        return this.#move(from, request.home)
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
      case 'feed':
        this.#feeds.add(request.to, this.#state.parts.store.log.incarnation)
        return feedStart(this.#state.parts, request.seen)
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
    if (!this.#feeds.areNone)
      this.#feeds.tell(eventsOf(changes, ({ name }) => ({ number: this.#state.named(name).number })))
    this.#notify(changes, from, value)
  }

  #notify(changes: readonly Change[], from: From | undefined, value?: unknown): void {
    this.#tell({ kind: 'commit', changes, answer: from && { from, value } })
  }

  async #define(from: From, definition: Parameters<LocalState['define']>[0]): Promise<void> {
    const info = await this.#state.define(definition)
    const { id, name } = info
    this.#tell({ kind: 'track', id, name, context: this.#self.pid })
    if (!this.#feeds.areNone) {
      const variable = this.#state.named(name)
      const about = { number: variable.number, info: numbered(variable) }
      this.#feeds.tell(eventsOf([variable.change()], () => about))
    }
    this.#self.reply(from, info)
  }

  #delete(from: From, name: string): void {
    const { number, id } = this.#state.named(name)
    const { changes } = this.#state.delete(name)
    if (!this.#feeds.areNone) this.#feeds.tell(eventsOf(changes, () => ({ number })))
    this.#notify(changes, from)
    this.#tell({ kind: 'untrack', id, context: this.#self.pid })
  }

  /** One turn takes the present values and registers the observer: what was before is told, all after follows. */
  #watch(from: From, { ref, owner, relay, names, includeInitial, sinceRevision, past }: WatchRequest): void {
    const infos = names.map((name) => this.#state.describe(name))
    const first = past?.through ?? sinceRevision
    const kept = first === undefined ? [] : this.#state.since(first, new Set(names))
    const begin = includeInitial ? names.map((name) => this.#state.initial(name)) : [...(past?.changes ?? []), ...kept]
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

  async #move(from: From, home: Home): Promise<void> {
    await this.#remote.move(home)
    this.#self.reply(from, this.#facts())
  }

  /** Commits and their answers may still wait in the manager's mailbox; the news of the end must not overtake them. */
  async #stop(): Promise<void> {
    await this.#remote.close()
    await this.#self.call(this.#manager, { kind: 'fence' } satisfies ManagerRequest, {
      timeout: Number.POSITIVE_INFINITY,
    })
    throw new Exit('normal')
  }

  #facts(): ContextFacts {
    const { id: key, session: id, modules } = this.#args
    const { table, log } = this.#state.memory
    return { id, key, table, log, modules }
  }

  #told(message: ContextMessage): void {
    if (message.kind === 'put') return this.#put(message.write)
    if (message.kind === 'resume') return this.#resume(message.watch)
    if (message.kind === 'unfeed') return this.#feeds.remove(message.to)
    message.port.postMessage(this.#facts())
    message.port.close()
    const flag = new Int32Array(message.flag)
    Atomics.store(flag, 0, 1)
    Atomics.notify(flag, 0)
  }

  /** Nobody waits for a `put`: what is refused is reported on the context's thread. */
  #put(write: Write): void {
    try {
      if (this.#remote.isOpen) this.#remote.put(write)
      else this.#commit(this.#state.set(write), undefined)
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#warn(error)
    }
  }

  #warn({ code, message }: BeamlineError): void {
    process.emitWarning(`context ${this.#args.session}: put was refused: ${message}`, { code: `BEAMLINE_${code}` })
  }

  #tell(message: ManagerMessage): void {
    this.#self.send(this.#manager, message)
  }
}
