import { type From, isDown } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { BeamlineError } from '../../errors.js'
import type { Pid, Ref } from '../../threads/pid.js'
import type { AppliedEvent, CommitEvent, SessionState } from '../../variables/session-state.js'
import type { Copy, ForwardedRequest, Upstream } from '../../variables/upstream.js'
import { eventsIn } from './columns.js'
import { commandOf } from './forwarding.js'
import type { BridgeMessage, BridgeRequest, FromBridge, Past, SessionCommand } from './messages.js'
import { isPlain, PlainSets } from './plain-sets.js'
import { type Asked, Questions } from './questions.js'
import { isFromBridge } from './shape.js'
import type { Way } from './way.js'

/** What a context tells itself, to look again for a bridge; how often it does, and the milliseconds between. */
const LOOK = 'beamline:bridge:look'
const MAX_ATTEMPTS = 3000
const PAUSE = 10
/** Events of the past that are asked for at a time. */
const PAGE = 4096

/** @see OpenUpstream */
export async function openSession(
  self: Process,
  way: unknown,
  copy: Copy,
  how: 'join' | 'rejoin' | 'move',
): Promise<Upstream> {
  const session = new SessionUpstream(self, way as Way, copy)
  // Who was there before need not wait: what it knows may be read, and who asks for more waits.
  if (how === 'rejoin') session.seek()
  else await session.attach(how)
  return session
}

/** A session behind a bridge, as one context of it sees it. */
class SessionUpstream implements Upstream {
  readonly #self: Process
  readonly #way: Way
  readonly #copy: Copy
  #bridge!: Pid
  readonly #questions: Questions
  readonly #sets: PlainSets
  /** What has come since the session was asked for its state, while that has not come. */
  #early: FromBridge[] | undefined
  /** Tells of the bridge's death. */
  #monitor: Ref | undefined
  /** What waits for the bridge that comes in the place of a dead one, which many attempts have not found yet. */
  #orphaned: { readonly waiting: (() => void)[]; attempts: number; isTrying: boolean } | undefined
  /** The server that had the session last: only another can have lost it. */
  #server: string | undefined
  #over: BeamlineError | undefined

  constructor(self: Process, way: Way, copy: Copy) {
    this.#self = self
    this.#way = way
    this.#copy = copy
    this.#questions = new Questions(copy)
    this.#sets = new PlainSets((sets) => this.#tell({ kind: 'sets', session: copy.id, pid: self.pid, ...sets }))
  }

  async attach(how: 'join' | 'rejoin' | 'move', again = false): Promise<void> {
    const { system } = this.#self
    const bridge = system.whereis(this.#way.bridge)
    if (bridge === undefined) throw new BeamlineError('UNAVAILABLE', 'the bridge has been closed: connect another')
    this.#bridge = bridge
    this.#monitor = this.#self.monitor(bridge)
    const { incarnation, id: session } = this.#copy
    const canGoOn = how === 'rejoin' && incarnation !== ''
    const request: BridgeRequest = {
      kind: 'attach',
      session,
      pid: this.#self.pid,
      create: this.#way.create,
      again: again || how === 'rejoin',
      ...(how === 'move' && { state: this.#copy.state() }),
      ...(canGoOn && { seen: { ...this.#copy.state(), ...(this.#server !== undefined && { server: this.#server }) } }),
    }
    this.#early = []
    const state = (await this.#self.call(bridge, request, { timeout: Number.POSITIVE_INFINITY })) as
      | SessionState
      | undefined
    if (state !== undefined && how === 'move') this.#copy.moved(state)
    else if (state !== undefined) {
      const isOther = state.incarnation !== incarnation
      this.#become(state, isOther ? 'the session is another than this side knew' : 'not all is kept that was missed')
    }
    this.#copy.whereabouts.link = 'live'
    const early = this.#early
    this.#early = undefined
    for (const message of early) this.take(message)
  }

  forward(request: ForwardedRequest, from: From | undefined): void {
    this.#ask({ command: commandOf(request), from })
  }

  synced(go: (error?: BeamlineError) => void, first = false): void {
    this.#ask({ command: { op: 'sync', first }, from: undefined, go: (error) => go(error) })
  }

  async past(after: number, through: number): Promise<CommitEvent[]> {
    const events: CommitEvent[] = []
    for (let revision = after; revision < through; ) {
      const past = await this.#some({ op: 'since', revision, through, limit: PAGE })
      events.push(...past.events)
      revision = past.through
    }
    return events
  }

  #some(command: SessionCommand): Promise<Past> {
    return new Promise((resolve, reject) => {
      const go = (error: BeamlineError | undefined, answer: unknown) => {
        if (error === undefined) resolve(answer as Past)
        else reject(error)
      }
      this.#ask({ command, from: undefined, go })
    })
  }

  #ask(asked: Asked): void {
    if (this.#over !== undefined) return this.#questions.settle(asked, undefined, this.#over)
    if (this.#orphaned !== undefined) return void this.#orphaned.waiting.push(() => this.#ask(asked))
    const seq = this.#questions.add(asked)
    const { command } = asked
    if (command.op === 'set' && isPlain(command.write)) return this.#sets.add(seq, command.write)
    this.#sets.flush()
    this.#tell({ kind: 'command', session: this.#copy.id, pid: this.#self.pid, seq, command })
  }

  #tell(message: BridgeMessage): void {
    this.#self.cast(this.#bridge, message)
  }

  take(message: unknown): void {
    if (isDown(message) && this.#monitor?.equals(message.ref)) return this.#bereaved()
    if (message === LOOK) return this.#look()
    if (!isFromBridge(message)) return
    if (this.#early !== undefined) return void this.#early.push(message)
    switch (message.kind) {
      case 'events':
        return this.#events(message.events, message.head)
      case 'sets':
        return this.#events(eventsIn(message), message.head)
      case 'written':
        return this.#questions.written(message.answers)
      case 'resync':
        return this.#become(message.state, message.reason)
      case 'reply':
        return this.#questions.reply(message)
      case 'link':
        this.#server = message.server ?? this.#server
        this.#copy.whereabouts.link = message.state
        this.#copy.whereabouts.proofOfLife = message.proofOfLife
        return
      case 'missing':
        return this.#remake()
      case 'closed':
        return this.#end(message.error)
    }
  }

  #become(state: SessionState, reason: string): void {
    this.#copy.become(state, reason)
    this.#copy.whereabouts.lag = 0
    this.#questions.release(Number.POSITIVE_INFINITY)
  }

  #events(events: readonly AppliedEvent[], head: number): void {
    // Those of a revision that the state had already which this context began with.
    const news = events.filter(({ revision }) => revision > this.#copy.revision)
    try {
      this.#copy.apply(news)
    } catch (error) {
      return this.#mend(error)
    }
    this.#copy.whereabouts.lag = Math.max(0, head - this.#copy.revision)
    this.#questions.release(this.#copy.revision)
  }

  /** The copy cannot be what the session is: it begins anew. */
  #mend(error: unknown): void {
    const text = `the copy of the session '${this.#copy.id}' is made anew: ${(error as Error).message}`
    process.emitWarning(text, { code: 'BEAMLINE_BRIDGE' })
    if (this.#monitor !== undefined) this.#self.demonitor(this.#monitor, { flush: true })
    this.attach('join', true).catch((failure: unknown) => {
      if (!isOfDeath(failure)) this.#end(asBeamlineError(failure))
    })
  }

  /** The bridge is dead. Unless somebody has closed it, another comes in its place. */
  #bereaved(): void {
    if (this.#over !== undefined) return
    const text = 'the bridge died before the answer came: what was asked may or may not have been done'
    const error = new BeamlineError('UNAVAILABLE', text)
    this.#sets.drop()
    const asked = this.#questions.drain()
    // What changes nothing is asked again.
    const harmless = asked.filter(({ go }) => go !== undefined)
    for (const one of asked) if (one.go === undefined) this.#questions.settle(one, undefined, error)
    this.seek(harmless.map((one) => () => this.#ask(one)))
  }

  /** Attaches to the bridge that comes in the place of a dead one; what is asked meanwhile waits. */
  seek(waiting: readonly (() => void)[] = []): void {
    this.#copy.whereabouts.link = 'stale'
    this.#orphaned ??= { waiting: [], attempts: 0, isTrying: false }
    this.#orphaned.waiting.push(...waiting)
    this.#look()
  }

  #look(): void {
    const orphaned = this.#orphaned
    if (orphaned === undefined || orphaned.isTrying) return
    if (!this.#isThere) return this.#lookLater(orphaned)
    orphaned.isTrying = true
    this.attach('rejoin')
      .then(() => this.#adopted(orphaned.waiting))
      .catch((error: unknown) => {
        orphaned.isTrying = false
        if (this.#orphaned !== orphaned) return
        if (isOfDeath(error) || !this.#isThere) this.#lookLater(orphaned)
        else this.#end(asBeamlineError(error))
      })
  }

  get #isThere(): boolean {
    return this.#self.system.whereis(this.#way.bridge) !== undefined
  }

  #lookLater(orphaned: { attempts: number }): void {
    if (++orphaned.attempts < MAX_ATTEMPTS) this.#self.sendAfter(this.#self.pid, LOOK, PAUSE)
    else this.#end(new BeamlineError('UNAVAILABLE', 'the bridge died, and no other came in its place'))
  }

  #adopted(waiting: readonly (() => void)[]): void {
    this.#orphaned = undefined
    for (const ask of waiting) ask()
  }

  /** The server has lost the session: it begins again with what this side has, or another side had. */
  #remake(): void {
    const { id: session } = this.#copy
    if (!this.#way.create)
      return this.#end(new BeamlineError('NOT_FOUND', `Session not found: ${session}: the server has lost it`))
    const request = { kind: 'attach', session, pid: this.#self.pid, create: true, again: true } as const
    const state = { ...this.#copy.state(), incarnation: '' }
    const ask = (how: BridgeRequest) => this.#self.call(this.#bridge, how, { timeout: Number.POSITIVE_INFINITY })
    this.#early = []
    ask({ ...request, state })
      .catch((error: unknown) => {
        if (!(error instanceof BeamlineError && error.code === 'ALREADY_EXISTS')) throw error
        return ask(request)
      })
      .then((there) => {
        const reason = 'the server had lost the session, which has been made again from what its contexts knew'
        this.#become(there as SessionState, reason)
        this.#copy.whereabouts.link = 'live'
        this.#resume()
      })
      .catch((error: unknown) => {
        // Of a bridge that died this side hears otherwise, and seeks another.
        if (!isOfDeath(error)) this.#end(asBeamlineError(error))
      })
  }

  #resume(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const message of early) this.take(message)
  }

  #end(error: BeamlineError): void {
    if (this.#over !== undefined) return
    this.#over = error
    this.#sets.drop()
    for (const asked of this.#questions.drain()) this.#questions.settle(asked, undefined, error)
    const waiting = this.#orphaned?.waiting ?? []
    this.#orphaned = undefined
    for (const ask of waiting) ask()
    this.#copy.end(error)
  }

  async leave(): Promise<void> {
    this.#sets.flush()
    const request: BridgeRequest = { kind: 'detach', session: this.#copy.id, pid: this.#self.pid }
    // A bridge that is gone knows nobody.
    await this.#self.call(this.#bridge, request).catch(() => {})
  }
}

const isOfDeath = (error: unknown): boolean => error instanceof BeamlineError && error.code === 'NOPROC'

function asBeamlineError(error: unknown): BeamlineError {
  return error instanceof BeamlineError ? error : new BeamlineError('UNAVAILABLE', String(error), { cause: error })
}
