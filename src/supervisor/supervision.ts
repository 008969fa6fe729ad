import { channel } from 'node:diagnostics_channel'
import { Exit, type ExitReason, errorFrom } from '../actors/exit-reason.js'
import { Call, isDown, isExit } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import { BeamlineError, shown } from '../errors.js'
import { Pid, Ref } from '../threads/pid.js'
import { Backoff } from './backoff.js'
import type { Child } from './child.js'
import { Intensity } from './intensity.js'
import { type Nests, Nursery } from './nursery.js'
import type { Policy } from './options.js'
import { Parking } from './parking.js'
import type { Recipe } from './recipe.js'
import type { RecipeParcel, SupervisorRequest } from './requests.js'
import { isRestarted } from './strategy.js'

const events = channel('beamline:supervisor')

/** A restart that waits for its message. */
interface Retry {
  readonly child: Child
  /** Whether the limit has counted it already. */
  readonly counted: boolean
}

/**
 * What supervisors of both kinds are: a process that traps exits and takes one message after the other. It is no
 * {@link Behaviour}, as it waits for the deaths of its children by `receive`.
 */
export abstract class Supervision {
  protected readonly self: Process
  protected readonly nursery: Nursery
  protected readonly policy: Policy
  readonly #intensity: Intensity
  readonly #byPid = new Map<string, Child>()
  readonly #retries = new Map<string, Retry>()

  constructor(self: Process, policy: Policy, nests: Nests) {
    self.trapExit = true
    this.self = self
    this.policy = policy
    this.nursery = new Nursery(self, nests)
    this.#intensity = new Intensity(policy.maxRestarts, policy.windowMs)
  }

  /** Starts what it is to start with. */
  protected abstract begin(): Promise<void>
  /** @throws BeamlineError for a request that is refused */
  protected abstract serve(request: SupervisorRequest): Promise<unknown>
  /** Stops all children. */
  protected abstract stopAll(): Promise<void>
  /** `child` has ended for good. */
  protected abstract finished(child: Child): Promise<void>
  /** Starts `crashed` and whoever belongs to it. @returns the child whose start failed */
  protected abstract restart(crashed: Child): Promise<Child | undefined>

  async run(): Promise<void> {
    const call = await this.#asked()
    this.self.signal.addEventListener('abort', () => this.#abandoned())
    await this.begin()
    this.self.reply(call.from, undefined)
    for (;;) await this.#take(await this.self.receive())
  }

  /** Whoever spawned it says when to begin, so that it can be told how that went; unless it dies before. */
  async #asked(): Promise<Call> {
    const { parent } = this.self
    const watch = parent && this.self.monitor(parent)
    const isBegin = (message: unknown) => message instanceof Call && message.request?.['kind' as never] === 'begin'
    const isDeath = (message: unknown) => isDown(message) && watch?.equals(message.ref) === true
    const first = await this.self.receive((message) => isBegin(message) || isDeath(message))
    if (isDown(first)) throw new Exit(first.reason)
    if (watch !== undefined) this.self.demonitor(watch, { flush: true })
    return first as Call
  }

  async #take(message: unknown): Promise<void> {
    if (message instanceof Call) return this.#answer(message as Call<SupervisorRequest>)
    if (message instanceof Ref) return this.#retryDue(message)
    if (!isExit(message)) return
    if (this.self.parent?.equals(message.pid)) return this.#end(message.reason)
    const child = this.#byPid.get(message.pid.toString())
    if (child === undefined || !message.pid.equals(child.pid)) return
    child.pid = undefined
    if (isRestarted(child.restart, message.reason)) return this.#crashed(child, message.reason)
    await this.finished(child)
  }

  async #answer({ from, request }: Call<SupervisorRequest>): Promise<void> {
    if (request?.kind === 'stop') return this.#end(request.reason)
    try {
      this.self.reply(from, await this.serve(request))
    } catch (error) {
      this.self.replyError(from, refusalOf(error))
    }
  }

  /** Ends after its children. */
  async #end(reason: ExitReason): Promise<never> {
    await this.stopAll()
    throw new Exit(reason)
  }

  /** Ends by its own will. */
  protected shutDown(): Promise<never> {
    return this.#end('shutdown')
  }

  async #crashed(child: Child, reason: ExitReason): Promise<void> {
    const now = this.self.system.clock.now()
    const allowed = this.#intensity.allows(now)
    if (events.hasSubscribers) {
      const { id } = child.recipe
      events.publish({ type: allowed ? 'restart' : 'giveUp', supervisor: this.self.pid, id, reason })
    }
    if (!allowed) return this.shutDown()
    child.pid = 'restarting'
    const { backoff } = this.policy
    if (backoff === undefined) return this.#restart(child)
    child.backoff ??= new Backoff(backoff)
    this.#retryAfter(child.backoff.next(now), { child, counted: true })
  }

  async #restart(child: Child): Promise<void> {
    const failed = await this.restart(child)
    if (failed === undefined) return
    failed.pid = 'restarting'
    // By a message: whoever has asked something meanwhile is answered before the next try.
    this.#retryAfter(0, { child: failed, counted: false })
  }

  #retryAfter(ms: number, retry: Retry): void {
    const { child, counted } = retry
    this.calm(child)
    child.retry = counted ? this.#ring(ms) : this.#knock()
    this.#retries.set(child.retry.toString(), retry)
  }

  #knock(): Ref {
    const ref = this.self.ref()
    this.self.send(this.self.pid, ref)
    return ref
  }

  /** By a timer. */
  #ring(ms: number): Ref {
    const ref = this.self.ref()
    this.self.sendAfter(this.self.pid, ref, ms)
    return ref
  }

  async #retryDue(ref: Ref): Promise<void> {
    const retry = this.#retries.get(ref.toString())
    if (retry === undefined) return
    const { child, counted } = retry
    this.calm(child)
    if (counted) await this.#restart(child)
    else await this.#crashed(child, 'restart_failed')
  }

  /** Gives up the restart that `child` waits for, if any. */
  protected calm(child: Child): void {
    if (child.retry === undefined) return
    this.#retries.delete(child.retry.toString())
    child.retry = undefined
  }

  /** Starts a child. @returns why it failed, if it did */
  protected async start(child: Child): Promise<{ readonly failed: ExitReason } | undefined> {
    const started = await this.nursery.start(child.recipe)
    if ('failed' in started) return started
    this.forget(child)
    child.pid = started.pid
    if (started.pid === undefined) return undefined
    child.key = started.pid.toString()
    this.#byPid.set(child.key, child)
    return undefined
  }

  /** Stops children, all at a time. */
  protected async stop(children: readonly Child[]): Promise<void> {
    const running = children.map((child) => child.stoppable).filter((one) => one !== undefined)
    for (const child of children) {
      this.forget(child)
      child.pid = undefined
    }
    await this.nursery.stop(running)
  }

  /** What a pid or an awaited restart would find of `child` is forgotten. */
  protected forget(child: Child): void {
    this.calm(child)
    if (child.key !== undefined) this.#byPid.delete(child.key)
    child.key = undefined
  }

  /** The child that has this pid, or had it when its restart began to be awaited. */
  protected find(pid: Pid): Child | undefined {
    return this.#byPid.get(pid.toString())
  }

  /** What a caller on this thread has left, or one on another has sent. */
  protected recipeIn(parcel: RecipeParcel): Recipe {
    if ('recipe' in parcel) return parcel.recipe
    const recipe = Parking.of(this.self.system).take(parcel.ticket)
    if (recipe !== undefined) return recipe as Recipe
    throw new BeamlineError('NOT_FOUND', 'startChild: whoever asked for the child has taken it back')
  }

  /** Ended at once by somebody else: a link would not end the children if the reason was `normal`. */
  #abandoned(): void {
    if (this.self.signal.reason !== 'normal') return
    const orphans = [...this.#byPid.values()].filter(({ pid }) => pid instanceof Pid)
    for (const { pid } of orphans) this.self.system.self.exit(pid as Pid, 'shutdown')
  }
}

/** The refusal of a child that could not be started. */
export function notStarted(recipe: Recipe, reason: ExitReason): BeamlineError {
  const cause = errorFrom(reason)
  const text = `the child ${shown(recipe.id)} could not be started: ${cause.message}`
  return new BeamlineError('NOPROC', text, { cause, details: { id: recipe.id, reason } })
}

/** The refusal of a request that no handle makes. */
export function unknownRequest(request: unknown): BeamlineError {
  return new BeamlineError('NOT_FOUND', `a supervisor is asked by its handle, not by ${shown(request)}`)
}

function refusalOf(error: unknown): BeamlineError {
  if (error instanceof Exit) throw error
  if (error instanceof BeamlineError) return error
  return new BeamlineError('INVALID_TYPE', 'a supervisor is asked by its handle: the request is none', { cause: error })
}
