import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js'
import type {
  Canceled,
  ClientFrame,
  ClientItem,
  Command,
  Created,
  Event,
  Hello,
  Reply,
  ServerFrame,
  ServerItem,
  Value,
  Variable,
  WatchCreate,
} from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'

type Said = NonNullable<ClientItem['kind']>
type Heard = NonNullable<ServerItem['kind']>
type Case = Heard['$case']
type Of<C extends Case> = Extract<Heard, { $case: C }>['value']

/** What a watch has told, as a client that trusts nothing takes it in. */
export class RawWatch {
  created: Created[] = []
  canceled: Canceled | undefined
  /** Variables of the snapshots. */
  variables: Variable[] = []
  snapshots = 0
  events: Event[] = []
  batches: number[] = []
  through = 0
  head = 0
  /** The watch's promises that were broken. */
  broken: string[] = []
  #last: Event | undefined

  get values(): unknown[] {
    return this.events.map(({ value }) => plain(value))
  }

  get revisions(): number[] {
    return this.events.map(({ revision }) => revision)
  }

  take(heard: Heard): void {
    if (this.canceled !== undefined) this.broken.push(`I9 ${heard.$case} after canceled`)
    switch (heard.$case) {
      case 'created':
        this.created.push(heard.value)
        // RESUMED
        if (heard.value.resume === 2) this.through = heard.value.revision
        this.#last = undefined
        break
      case 'canceled':
        this.canceled = heard.value
        break
      case 'snapshot':
        if (this.created.at(-1)?.revision !== heard.value.revision)
          this.broken.push('I1 a snapshot of another revision')
        this.variables.push(...heard.value.variables)
        if (!heard.value.last) break
        this.snapshots++
        this.through = heard.value.revision
        break
      case 'batch':
        this.#batch(heard.value)
        break
    }
  }

  #batch({ prev, through, events }: Of<'batch'>): void {
    if (prev !== this.through) this.broken.push(`I3 prev ${prev} after ${this.through}`)
    if (this.created.length === 0) this.broken.push('I1 a batch before created')
    for (const event of events) {
      const { revision } = event
      const last = this.#last
      if (revision <= this.through) this.broken.push(`I1 ${revision} is not after ${this.through}`)
      if (last !== undefined && revision < last.revision) this.broken.push(`I2 ${revision} after ${last.revision}`)
      if (last?.more === true && revision !== last.revision) this.broken.push(`I2 ${last.revision} was not whole`)
      this.#last = event
    }
    if (this.#last?.more === true && through >= this.#last.revision) this.broken.push('I2 through a part of a revision')
    if (this.#last?.more !== true && this.#last !== undefined && through < this.#last.revision)
      this.broken.push(`I3 through ${through} before ${this.#last.revision}`)
    this.through = through
    this.events.push(...events)
    this.batches.push(events.length)
  }

  progress(through: number, head: number): void {
    if (this.canceled !== undefined) this.broken.push('I9 progress after canceled')
    if (through < this.through) this.broken.push(`I4 progress goes back from ${this.through} to ${through}`)
    this.through = Math.max(this.through, through)
    this.head = head
  }
}

/** One stream of a client that has nothing in common with ours, and checks all it is told. */
export class RawStream {
  readonly call: ClientDuplexStream<ClientFrame, ServerFrame>
  readonly watches = new Map<number, RawWatch>()
  readonly heard: Heard[] = []
  readonly frames: ServerFrame[] = []
  readonly replies = new Map<number, Reply>()
  readonly broken: string[] = []
  /** How the stream ended. */
  ended: ServiceError | 'ok' | undefined
  /** Acknowledges every event as it comes. */
  acks = false
  /** Says something at each beat of the server. */
  isAlive = true
  #nextCommand = 1
  #waiting: { isMet: () => boolean; done: () => void }[] = []

  constructor(call: ClientDuplexStream<ClientFrame, ServerFrame>) {
    this.call = call
    call.on('data', (frame: ServerFrame) => this.#take(frame))
    call.on('error', (error: ServiceError) => this.#end(error))
    call.on('end', () => this.#end('ok'))
  }

  #end(how: ServiceError | 'ok'): void {
    // An error comes behind the end of the data.
    if (this.ended === undefined || how !== 'ok') this.ended = how
    this.#wake()
  }

  #take(frame: ServerFrame): void {
    this.frames.push(frame)
    if (frame.frameSeq !== this.frames.length) this.broken.push(`I3 frame ${frame.frameSeq} as ${this.frames.length}`)
    for (const { kind } of frame.items) {
      if (kind === undefined) continue
      this.heard.push(kind)
      if (kind.$case === 'reply') this.replies.set(kind.value.id, kind.value)
      if (kind.$case === 'progress' && this.isAlive) this.send({ $case: 'ping', value: { nonce: 0 } })
      if (kind.$case === 'progress')
        for (const { watchId, through, head } of kind.value.watches) this.watch(watchId).progress(through, head)
      if (
        kind.$case === 'created' ||
        kind.$case === 'canceled' ||
        kind.$case === 'snapshot' ||
        kind.$case === 'batch'
      ) {
        this.watch(kind.value.watchId).take(kind)
        const count =
          kind.$case === 'batch'
            ? kind.value.events.length
            : kind.$case === 'snapshot'
              ? kind.value.variables.length
              : 0
        if (this.acks && count > 0) this.ack(kind.value.watchId, count)
      }
    }
    this.#wake()
  }

  #wake(): void {
    const met = this.#waiting.filter(({ isMet }) => isMet())
    this.#waiting = this.#waiting.filter((waiting) => !met.includes(waiting))
    for (const { done } of met) done()
  }

  /** All promises that were broken on this stream. */
  get faults(): string[] {
    return [...this.broken, ...[...this.watches].flatMap(([id, { broken }]) => broken.map((text) => `${id}: ${text}`))]
  }

  watch(id: number): RawWatch {
    const known = this.watches.get(id)
    if (known !== undefined) return known
    const made = new RawWatch()
    this.watches.set(id, made)
    return made
  }

  /** Sends all in one frame. */
  send(...said: Said[]): void {
    this.call.write({ items: said.map((kind) => ({ kind })) })
  }

  hello(hello: Partial<Hello> = {}): void {
    const value = {
      protocol: 1,
      clientId: 'client',
      clientInstance: String(Math.random()),
      heartbeatMs: 10_000,
      maxFrameBytes: 0,
      repliesSeen: 0,
      ...hello,
    }
    this.send({ $case: 'hello', value })
  }

  create(watchId: number, sessionId: string, create: Partial<WatchCreate> = {}): RawWatch {
    this.send(created(watchId, sessionId, create))
    return this.watch(watchId)
  }

  ack(watchId: number, credit: number, repliesSeen = 0): void {
    this.send({
      $case: 'ack',
      value: { watches: [{ watchId, through: this.watch(watchId).through, credit }], repliesSeen },
    })
  }

  /** Sends a command. @returns its number */
  command(sessionId: string, op: NonNullable<Command['op']>, id = this.#nextCommand++): number {
    this.send({ $case: 'command', value: { id, sessionId, op } })
    return id
  }

  set(sessionId: string, name: string, value: number): number {
    return this.command(sessionId, setOf(name, value))
  }

  async reply(id: number): Promise<Reply> {
    await this.when(() => this.replies.has(id))
    return this.replies.get(id) as Reply
  }

  /** Resolves once the session's commits up to now have been offered to the watches of the stream. */
  async sync(sessionId: string): Promise<Reply> {
    return this.reply(this.command(sessionId, { $case: 'sync', value: {} }))
  }

  /** A barrier: resolves once the watch has been told all up to now. */
  async fence(watchId: number, atLeast = 0): Promise<void> {
    const count = this.#progressOf(watchId)
    this.send({ $case: 'progress', value: { watchId, atLeast } })
    await this.when(() => this.#progressOf(watchId) > count)
  }

  #progressOf(watchId: number): number {
    return this.heard.filter(
      (kind) => kind.$case === 'progress' && kind.value.watches.some((one) => one.watchId === watchId),
    ).length
  }

  /** The next item of a kind, or the one that has come already. */
  async until<C extends Case>($case: C): Promise<Of<C>> {
    const found = () => this.heard.find((kind) => kind.$case === $case)
    await this.when(() => found() !== undefined)
    return found()?.value as Of<C>
  }

  when(isMet: () => boolean): Promise<void> {
    if (isMet()) return Promise.resolve()
    return new Promise((done) => this.#waiting.push({ isMet, done }))
  }

  async end(): Promise<ServiceError | 'ok'> {
    await this.when(() => this.ended !== undefined)
    // The status of a call comes behind its data.
    await new Promise((resolve) => setImmediate(resolve))
    return this.ended as ServiceError | 'ok'
  }
}

export function created(watchId: number, sessionId: string, create: Partial<WatchCreate> = {}): Said {
  const value = {
    watchId,
    sessionId,
    selectors: [],
    resume: undefined,
    policy: 0 as const,
    minIntervalMs: 0,
    onGap: 0 as const,
    credit: 1000,
    allowMissing: false,
    ...create,
  }
  return { $case: 'create', value }
}

export function setOf(name: string, value: number): NonNullable<Command['op']> {
  const wire: Value = { kind: { $case: 'number', value } }
  return { $case: 'set', value: { name, value: wire, metadataJson: '', expectedVersion: undefined } }
}

export const plain = (value: Value | undefined): unknown => value?.kind?.value
