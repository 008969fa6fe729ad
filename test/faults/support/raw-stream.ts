import { credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import {
  type ClientFrame,
  ClientItem,
  type Command,
  type DeepPartial,
  Policy,
  type ServerFrame,
  type ServerItem,
  type WatchCreate,
  WatchServiceClient,
} from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'

type ServerKind = NonNullable<ServerItem['kind']>
type ServerCase = ServerKind['$case']
type ValueOf<C extends ServerCase> = Extract<ServerKind, { $case: C }>['value']
type ClientKind = NonNullable<ClientItem['kind']>

export interface RawOptions {
  readonly token?: string
  readonly heartbeat?: number
  readonly clientId?: string
  readonly instance?: string
  /** Whether it says hello at once; it does unless told. */
  readonly hello?: boolean
  /** Whether it reads; it does unless told. */
  readonly reads?: boolean
  /** Whether it grants a watch as many events as it has received; it does unless told. */
  readonly acks?: boolean
}

/** A client of the native service that does only what it is told. */
export class RawStream implements AsyncDisposable {
  readonly frames: ServerFrame[] = []
  readonly items: ServerKind[] = []
  readonly ended: Promise<{ readonly code: status; readonly details: string }>
  readonly #client: WatchServiceClient
  readonly #call: ReturnType<WatchServiceClient['session']>
  readonly #acks: boolean
  #listeners = new Set<() => void>()
  #reading = false
  #command = 0
  #beat: NodeJS.Timeout | undefined

  constructor(address: string, options: RawOptions = {}) {
    const { token, heartbeat = 1000, clientId = `raw-${Math.random()}`, instance = '1' } = options
    const { hello = true, reads = true, acks = true } = options
    this.#acks = acks
    this.#client = new WatchServiceClient(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 64 << 20,
    })
    const metadata = new Metadata()
    if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
    this.#call = this.#client.session(metadata)
    this.ended = new Promise((resolve) => {
      this.#call.on('error', ({ code, details }: ServiceError) => resolve({ code, details }))
      this.#call.on('end', () => resolve({ code: status.OK, details: '' }))
    })
    void this.ended.then(() => this.#stop())
    if (reads) this.read()
    if (!hello) return
    this.send({
      $case: 'hello',
      value: {
        protocol: 1,
        clientId,
        clientInstance: instance,
        heartbeatMs: heartbeat,
        maxFrameBytes: 4 << 20,
        repliesSeen: 0,
      },
    })
    this.#beat = setInterval(() => this.send({ $case: 'ping', value: { nonce: 1 } }), heartbeat / 2)
    this.#beat.unref()
  }

  /** Stops giving proof of life, and goes on otherwise. */
  hush(): void {
    clearInterval(this.#beat)
  }

  send(...kinds: ClientKind[]): void {
    const frame: ClientFrame = { items: kinds.map((kind) => ({ kind })) }
    if (!this.#call.writableEnded && !this.#call.destroyed) this.#call.write(frame)
  }

  /** Begins a watch; of everything, from now on and without loss, unless told. */
  watch(watchId: number, sessionId: string, options: DeepPartial<WatchCreate> = {}): void {
    this.send(
      ClientItem.fromPartial({
        kind: {
          $case: 'create',
          value: { watchId, sessionId, policy: Policy.POLICY_LOSSLESS, credit: 1024, ...options },
        },
      }).kind as ClientKind,
    )
  }

  /** Asks for something, and answers its number. */
  command(sessionId: string, op: Command['op'], id = ++this.#command): number {
    this.send({ $case: 'command', value: { id, sessionId, op } })
    return id
  }

  async reply(id: number): Promise<ValueOf<'reply'>> {
    return this.next('reply', (reply) => reply.id === id)
  }

  read(): void {
    if (!this.#reading) this.#call.on('data', (frame: ServerFrame) => this.#take(frame))
    this.#reading = true
    this.#call.resume()
  }

  pause(): void {
    this.#call.pause()
  }

  all<C extends ServerCase>($case: C): ValueOf<C>[] {
    return this.items.filter((item) => item.$case === $case).map((item) => item.value as ValueOf<C>)
  }

  /** The first item of a kind that there is, or that comes. */
  async next<C extends ServerCase>($case: C, match: (value: ValueOf<C>) => boolean = () => true): Promise<ValueOf<C>> {
    const find = () => this.all($case).find(match)
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      const end = await this.#more()
      if (end !== undefined && find() === undefined)
        throw new Error(`the stream ended before ${$case}: ${status[end.code]} ${end.details}`)
    }
  }

  /** The events of a watch so far. */
  events(watchId: number): ValueOf<'batch'>['events'] {
    return this.all('batch').flatMap((batch) => (batch.watchId === watchId ? batch.events : []))
  }

  cancel(): void {
    this.#call.cancel()
  }

  async close(): Promise<void> {
    this.#call.cancel()
    this.read()
    await this.ended
    this.#client.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #more(): Promise<{ readonly code: status; readonly details: string } | undefined> {
    return Promise.race([
      new Promise<undefined>((resolve) => this.#listeners.add(() => resolve(undefined))),
      this.ended,
    ])
  }

  #take(frame: ServerFrame): void {
    this.frames.push(frame)
    const credits = new Map<number, { through: number; credit: number }>()
    for (const { kind } of frame.items) {
      if (kind === undefined) continue
      this.items.push(kind)
      if (kind.$case !== 'batch' && kind.$case !== 'snapshot') continue
      const { watchId } = kind.value
      const count = kind.$case === 'batch' ? kind.value.events.length : kind.value.variables.length
      const through = kind.$case === 'batch' ? kind.value.through : kind.value.revision
      credits.set(watchId, { through, credit: (credits.get(watchId)?.credit ?? 0) + count })
    }
    if (this.#acks && credits.size > 0) {
      const watches = [...credits].map(([watchId, { through, credit }]) => ({ watchId, through, credit }))
      this.send({ $case: 'ack', value: { watches, repliesSeen: 0 } })
    }
    const listeners = this.#listeners
    this.#listeners = new Set()
    for (const listener of listeners) listener()
  }

  #stop(): void {
    clearInterval(this.#beat)
  }
}
