import { randomUUID } from 'node:crypto'
import { type Behaviour, behaviour } from '../../actors/behaviour.js'
import { doze, together } from '../../actors/doze.js'
import { Exit } from '../../actors/exit-reason.js'
import { Call, Cast, type From, isDown } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import { BeamlineError, shown } from '../../errors.js'
import { firstBridge } from '../../variables/upstream.js'
import type { ServerItem, Welcome } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { Acks } from './acks.js'
import { Attached } from './attached.js'
import { Connection, type ConnectionEvents } from './connection.js'
import { Deliveries } from './deliveries.js'
import { ContextErrand } from './errands.js'
import type { BridgeInfo, BridgeMessage, BridgeRequest, BridgeState, ToHandle } from './messages.js'
import type { BridgeArgs } from './options.js'
import { Outbox } from './outbox.js'
import { Sessions } from './sessions.js'
import { isBridgeMessage, isBridgeRequest } from './shape.js'
import { lost } from './status.js'
import { isBack } from './waiting.js'
import { homeBehind } from './way.js'

/** Milliseconds that a bridge which is closed waits for the answers to what it has sent. */
const PATIENCE = 1000

/** The process that is a bridge, for a thread of its own. It tries for ever to be connected. */
export const bridgeActor = behaviour<BridgeArgs>(async (self, args) => {
  doze(self)
  await self.register(firstBridge).catch(() => {})
  return new BridgeActor(self, args)
})

/** Between the contexts of a system and one server: one connection, one stream, on it everything. */
class BridgeActor implements Behaviour, ConnectionEvents {
  readonly trusted = true
  readonly #self: Process
  readonly #args: BridgeArgs
  readonly #connection: Connection
  readonly #outbox: Outbox
  readonly #acks: Acks
  readonly #sessions: Sessions
  readonly #attached: Attached
  readonly #deliveries: Deliveries
  /** Who wants to know what comes of the first attempt. */
  #curious: From[] | undefined = []
  /** The server to which all unanswered commands were sent. */
  #server: string | undefined
  #error: BeamlineError | undefined

  constructor(self: Process, args: BridgeArgs) {
    const { clock } = self.system
    this.#self = self
    this.#deliveries = new Deliveries((pid, message) => self.send(pid, message))
    this.#args = args
    this.#connection = new Connection(args, randomUUID(), clock, this)
    const send = (item: Uint8Array) => this.#connection.send(item)
    this.#outbox = new Outbox(send)
    this.#acks = new Acks(clock, send, () => this.#outbox.repliesSeen)
    this.#attached = new Attached(self)
    this.#sessions = new Sessions({
      clock,
      outbox: this.#outbox,
      acks: this.#acks,
      item: send,
      welcome: () => (this.#connection.state === 'ready' ? this.#connection.welcome : undefined),
      proofOfLife: () => this.#connection.proof,
      send: this.#deliveries.send,
      answer: (from, state) => self.reply(from, state),
      refuse: (from, error) => self.replyError(from, error),
      gap: (text) => this.#connection.drop({ ...lost('UNAVAILABLE', text), gap: true }),
      resynced: (session, reason) => this.#tell({ kind: 'resync', resync: { session, reason } }),
    })
    self.signal.addEventListener('abort', () => this.#close(ended(args.address)))
  }

  begin(): void {
    this.#tellState('connecting', undefined)
    this.#connection.start()
  }

  handle(message: unknown): void | Promise<void> {
    if (message instanceof Cast) return isBridgeMessage(message.request) ? this.#told(message.request) : undefined
    if (message instanceof Call) return this.#answer(message.from, message.request)
    if (!isDown(message)) return
    const gone = this.#attached.down(message)
    if (gone !== undefined) for (const session of gone.sessions) this.#sessions.detach(session, gone.pid)
  }

  #answer(from: From, request: unknown): void | Promise<void> {
    if (!isBridgeRequest(request)) {
      const text = `a bridge is not asked ${shown(request)}: use its handle`
      return this.#self.replyError(from, new BeamlineError('INVALID_TYPE', text))
    }
    switch (request.kind) {
      case 'attach':
        return this.#attach(from, request)
      case 'detach':
        this.#attached.remove(request.pid, request.session)
        this.#sessions.detach(request.session, request.pid)
        return this.#self.reply(from, undefined)
      case 'home':
        return this.#self.reply(from, homeBehind(this.#args.name))
      case 'info':
        return this.#self.reply(from, this.#info())
      case 'ready':
        return this.#ready(from)
      case 'close':
        return this.#leave(from)
    }
  }

  #attach(from: From, { session, pid, create, ...what }: Extract<BridgeRequest, { kind: 'attach' }>): void {
    const { state, seen, again } = what
    const waits = isBack({ seen, again }) || (state === undefined && this.#waits)
    const error = this.#refusal(`attach to ${session}`, waits)
    if (error !== undefined) return this.#self.replyError(from, error)
    this.#attached.add(pid, session)
    this.#sessions.attach(session, { from, pid, create, state, seen, again })
  }

  #told(message: BridgeMessage): void {
    if (message.kind === 'command') return this.#command(message)
    const { session, pid, seq, names, values } = message
    for (let at = 0; at < names.length; at++) {
      const write = { name: names[at] as string, value: values[at] }
      this.#command({ kind: 'command', session, pid, seq: seq + at, command: { op: 'set', write } })
    }
  }

  #command(message: BridgeMessage & { kind: 'command' }): void {
    const errand = new ContextErrand(message, this.#deliveries)
    const error = this.#refusal(`${message.command.op} of ${message.session}`)
    if (error !== undefined) return errand.done(undefined, error)
    if (this.#sessions.has(message.session)) return this.#outbox.post(errand)
    const text = `no context is attached to the session ${message.session}: attach first`
    errand.done(undefined, new BeamlineError('UNAVAILABLE', text))
  }

  /** Why nothing is begun now, if that is so. */
  #refusal(what: string, waits = this.#waits): BeamlineError | undefined {
    const { state } = this.#connection
    if (state === 'closed') return this.#error ?? ended(this.#args.address)
    if (state === 'ready' || waits) return undefined
    const text = `${what} was not begun, as there is no connection to ${this.#args.address}: try again once the bridge is ready`
    return new BeamlineError('UNAVAILABLE', text)
  }

  /** Whether what is begun without a connection waits for one. */
  get #waits(): boolean {
    return this.#args.whenOffline === 'wait'
  }

  #info(): BridgeInfo {
    const { state, reconnects, gaps, frames, proof } = this.#connection
    const { count: sessions, lag } = this.#sessions
    const { unanswered } = this.#outbox
    return { state, stats: { reconnects, lag, lastProofOfLife: proof, gaps, frames, sessions, unanswered } }
  }

  #ready(from: From): void {
    if (this.#connection.state === 'closed')
      return this.#self.replyError(from, this.#error ?? ended(this.#args.address))
    if (this.#curious === undefined) this.#self.reply(from, this.#info())
    else this.#curious.push(from)
  }

  async #leave(from: From): Promise<void> {
    await this.#answered()
    this.#close(ended(this.#args.address))
    this.#self.reply(from, undefined)
    throw new Exit('normal')
  }

  #answered(): Promise<void> {
    if (this.#connection.state !== 'ready' || this.#outbox.unanswered === 0) return Promise.resolve()
    const { clock } = this.#self.system
    return new Promise((resolve) => {
      const timer = clock.setTimeout(resolve, PATIENCE)
      this.#outbox.onIdle = () => {
        clock.clearTimeout(timer)
        resolve()
      }
    })
  }

  #close(error: BeamlineError): void {
    this.#connection.close(error)
  }

  // ---- what the connection tells

  welcome({ serverId, maxFrameBytes }: Welcome): void {
    const same = this.#server === undefined || this.#server === serverId
    this.#server = serverId
    this.#outbox.online(same, this.#args.address, maxFrameBytes)
    this.#sessions.online()
  }

  reading(work: () => void): void {
    together(this.#self, work)
  }

  item(item: NonNullable<ServerItem['kind']>): void {
    if (item.$case !== 'reply') return this.#sessions.take(item)
    // An answer keeps its place among the events.
    this.#sessions.settle()
    this.#outbox.reply(item.value)
    this.#acks.replied()
  }

  settled(): void {
    this.#sessions.settle()
    this.#outbox.settled()
    this.#deliveries.flush()
  }

  leaving(): void {
    this.#outbox.offline()
  }

  lost(): void {
    this.#sessions.settle()
    this.#outbox.offline()
    this.#acks.stop()
    this.#sessions.offline(this.#waits)
    if (this.#waits) return
    const text = `what was asked was not done, as the connection to ${this.#args.address} was lost: try again once the bridge is ready`
    this.#outbox.rejectWaiting(new BeamlineError('UNAVAILABLE', text))
  }

  repliesSeen(): number {
    return this.#outbox.repliesSeen
  }

  state(state: BridgeState, error: BeamlineError | undefined): void {
    this.#tellState(state, error)
    const curious = this.#curious
    this.#curious = undefined
    for (const from of curious ?? []) {
      if (state === 'ready') this.#self.reply(from, this.#info())
      else this.#self.replyError(from, error ?? ended(this.#args.address))
    }
    if (state !== 'closed') return
    this.#error = error
    const reason = error ?? ended(this.#args.address)
    this.#acks.stop()
    this.#sessions.close(reason)
    this.#outbox.close(reason)
  }

  #tellState(state: BridgeState, error: BeamlineError | undefined): void {
    this.#tell({ kind: 'state', pid: this.#self.pid, state, error })
  }

  #tell(message: ToHandle): void {
    this.#self.send(this.#args.observer, message)
  }
}

const ended = (address: string): BeamlineError =>
  new BeamlineError('STOPPED', `the bridge to ${address} is closed: connect again`)
