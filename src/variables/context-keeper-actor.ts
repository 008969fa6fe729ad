import { type Behaviour, behaviour } from '../actors/behaviour.js'
import type { ExitReason } from '../actors/exit-reason.js'
import { Call, type Down, type From, isDown } from '../actors/messages.js'
import { Process } from '../actors/process.js'
import { BeamlineError, shown } from '../errors.js'
import { Pid, type Ref } from '../threads/pid.js'
import type { ContextArgs } from './context-args.js'
import { type KeeperRequest, keeperName } from './context-keeper.js'
import { respawn } from './context-spawn.js'
import { isRecord } from './shape.js'
import { SharedLog } from './shared-log.js'
import { type StateMemory, StateStore } from './state-store.js'
import type { Home } from './upstream.js'

/** The process that keeps the contexts of a system, on main. Loaded by name. */
export const contextKeeperActor = behaviour<undefined>((self) => new ContextKeeper(self))

type Claim = KeeperRequest & { kind: 'claim' }
type Moved = KeeperRequest & { kind: 'moved' }

/** A context, whatever process it is at the moment. */
interface Kept {
  args: ContextArgs
  readonly memory: StateMemory
  pid: Pid
  monitor: Ref | undefined
  state: 'starting' | 'up' | 'down'
  /** Whether it was ever up: of one that was not, nobody has anything, and whoever started it hears why. */
  hasBegun: boolean
  /** Starts in a row that came to nothing. */
  failures: number
}

/** Milliseconds between two attempts, and those in which a supervisor must have started its child again. */
const PAUSE = 10
const PATIENCE = 30_000
const MAX_FAILURES = 10

const kept = Symbol('beamline.contexts')

/** By id, and by every process that one has been. */
interface Contexts {
  readonly byId: Map<string, Kept>
  readonly byPid: Map<string, Kept>
}

/**
 * Keeps the memory of every context and starts it again when the thread under it has died; one with a supervisor is
 * started by that. What it knows is kept for the whole of main, so that whoever kills it does the contexts no harm.
 */
class ContextKeeper implements Behaviour {
  readonly trusted = true
  readonly #self: Process
  readonly #contexts: Contexts
  /** Who waits for what becomes of a context, by its id. */
  readonly #waiting = new Map<string, (() => void)[]>()

  constructor(self: Process) {
    const host = Process.hostOf(self)
    this.#self = self
    this.#contexts = host.service(kept, () => ({ byId: new Map(), byPid: new Map() }))
    self.signal.addEventListener('abort', () => {
      if (host.stopping) return
      const { system } = host
      const options = { name: keeperName, label: 'ContextKeeper' }
      // Not at once: its name is still being freed.
      queueMicrotask(() => void system.self.spawn(contextKeeperActor, undefined, options).catch(() => {}))
    })
    for (const context of this.#contexts.byId.values()) context.monitor = self.monitor(context.pid)
  }

  handle(message: unknown): void {
    if (message instanceof Call) this.#answer(message)
    else if (isDown(message)) this.#down(message)
    else if (isReminder(message)) this.#reminded(message)
  }

  /** Anyone may send to this pid: what no context and no relay would say is refused. */
  #answer({ from, request }: Call): void {
    try {
      if (!isRecord(request) || !(request['pid'] instanceof Pid)) throw notAsked(request)
      if (request['kind'] === 'next') this.#next(from, request['pid'])
      else if (request['kind'] === 'ready') this.#ready(from, request['pid'])
      else if (request['kind'] === 'moved') this.#moved(from, request as Moved)
      else if (request['kind'] === 'claim' && isRecord(request['args'])) this.#claim(from, request as Claim)
      else throw notAsked(request)
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      this.#self.replyError(from, error)
    }
  }

  #ready(from: From, pid: Pid): void {
    this.#self.reply(from, undefined)
    const context = this.#byPid(pid)
    if (context === undefined || !context.pid.equals(pid)) return
    context.state = 'up'
    context.hasBegun = true
    context.failures = 0
    this.#decided(context.args.id)
  }

  #moved(from: From, { pid, home }: Moved): void {
    const context = this.#byPid(pid)
    if (context !== undefined) context.args = withHome(context.args, home)
    this.#self.reply(from, undefined)
  }

  #reminded({ context: id, pid, what }: Reminder): void {
    const context = this.#contexts.byId.get(id)
    // Of an outage that is over.
    if (context?.state !== 'down' || !context.pid.equals(pid)) return
    if (what === 'restart') this.#restart(context)
    // Its supervisor has not started it again.
    else this.#end(id)
  }

  #claim(from: From, request: Claim): void {
    const { pid, args } = request
    // Whoever asks has died meanwhile.
    if (!this.#self.system.isAlive(pid)) return
    const context = this.#contexts.byId.get(args.id)
    if (context === undefined) {
      const { memory } = StateStore.create(args.retention.log)
      const fresh: Kept = { args, memory, pid, monitor: undefined, state: 'starting', hasBegun: false, failures: 0 }
      this.#contexts.byId.set(args.id, fresh)
      return this.#grant(from, fresh, pid)
    }
    // Its death is known to whoever starts the next, and not yet here: first it must be told why it died.
    if (context.state !== 'down' && !this.#self.system.isAlive(context.pid))
      return this.#wait(args.id, () => this.#claim(from, request))
    if (context.state === 'down' && (context.args.start === undefined ? args.start === undefined : args.again))
      return this.#grant(from, context, pid)
    const text = `the context '${args.id}' exists: attach to it, or choose another id`
    this.#self.replyError(from, new BeamlineError('ALREADY_EXISTS', text, { details: { id: args.id } }))
  }

  #grant(from: From, context: Kept, pid: Pid): void {
    context.pid = pid
    this.#contexts.byPid.set(pid.toString(), context)
    context.state = 'starting'
    context.monitor = this.#self.monitor(pid)
    this.#self.reply(from, context.memory)
  }

  #next(from: From, pid: Pid): void {
    const context = this.#byPid(pid)
    if (context === undefined) return this.#self.reply(from, undefined)
    const isThere = context.state === 'up' && this.#self.system.isAlive(context.pid)
    if (isThere) return this.#self.reply(from, context.pid)
    this.#wait(context.args.id, () => this.#next(from, pid))
  }

  #wait(id: string, again: () => void): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) this.#waiting.set(id, [again])
    else waiting.push(again)
  }

  /** More is known of a context than before. */
  #decided(id: string): void {
    const waiting = this.#waiting.get(id) ?? []
    this.#waiting.delete(id)
    for (const again of waiting) again()
  }

  #down({ pid, ref, reason }: Down): void {
    const context = this.#byPid(pid)
    if (context?.monitor?.equals(ref) !== true) return
    const { id } = context.args
    if (hasEnded(context.memory, reason) || !context.hasBegun || Process.hostOf(this.#self).stopping) this.#end(id)
    else if (context.state === 'starting' && ++context.failures === MAX_FAILURES) this.#giveUp(id, reason)
    else {
      context.state = 'down'
      if (context.args.start === undefined) this.#remind(context, 'overdue', PATIENCE)
      else this.#restart(context)
      this.#decided(id)
    }
  }

  #end(id: string): void {
    const context = this.#contexts.byId.get(id)
    if (context === undefined) return
    SharedLog.end(context.memory.log)
    this.#contexts.byId.delete(id)
    for (const [pid, one] of this.#contexts.byPid) if (one === context) this.#contexts.byPid.delete(pid)
    this.#decided(id)
  }

  #giveUp(id: string, reason: unknown): void {
    process.emitWarning(`the context ${id} could not be started again: ${shown(reason)}`, { code: 'BEAMLINE_CONTEXT' })
    this.#end(id)
  }

  /** Not awaited by whoever hears of the death: the context asks this process for its memory when it begins. */
  #restart(context: Kept): void {
    const { pid, args } = context
    const { id } = args
    respawn(this.#self, args).catch((error: unknown) => {
      // One that has asked for its memory before is heard of by its death.
      if (context.state !== 'down' || !context.pid.equals(pid)) return
      if (!(error instanceof BeamlineError) || error.code === 'STOPPED') return this.#end(id)
      if (++context.failures < MAX_FAILURES) this.#remind(context, 'restart', PAUSE)
      else this.#giveUp(id, error.message)
    })
  }

  #remind({ args, pid }: Kept, what: Reminder['what'], ms: number): void {
    this.#self.sendAfter(this.#self.pid, { context: args.id, pid, what } satisfies Reminder, ms)
  }

  #byPid(pid: unknown): Kept | undefined {
    return this.#contexts.byPid.get(String(pid))
  }
}

function withHome({ home: _, ...args }: ContextArgs, home: Home | undefined): ContextArgs {
  return home === undefined ? args : { ...args, home }
}

/** What the keeper tells itself later, of a context whose process `pid` has died. */
interface Reminder {
  readonly context: string
  readonly pid: Pid
  readonly what: 'restart' | 'overdue'
}

function isReminder(value: unknown): value is Reminder {
  return isRecord(value) && typeof value['context'] === 'string' && value['pid'] instanceof Pid
}

function notAsked(request: unknown): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `the keeper of contexts is not asked ${shown(request)}: use Context`)
}

/** A context that ends leaves word of it, unless it could no longer, as when its thread was ended to kill it. */
const hasEnded = ({ log }: StateMemory, reason: ExitReason): boolean => SharedLog.hasEnded(log) || reason === 'killed'
