import { Server, ServerCredentials, type ServerDuplexStream, type ServiceError, type status } from '@grpc/grpc-js'
import {
  type ClientFrame,
  type ClientItem,
  type ServerFrame,
  type ServerItem,
  WatchServiceService,
  type Welcome,
} from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'

type Said = NonNullable<ClientItem['kind']>
type Case = Said['$case']
type ValueOf<C extends Case> = Extract<Said, { $case: C }>['value']
type Says = NonNullable<ServerItem['kind']>

/** One stream of a client, as the test plays the server to it. */
export class ScriptedStream {
  /** What the client presented itself with. */
  readonly authorization: unknown
  /** Resolves when the stream is over. */
  readonly closed: Promise<void>
  readonly #call: ServerDuplexStream<ClientFrame, ServerFrame>
  readonly #said = new Map<Case, unknown[]>()
  readonly #wanted = new Map<Case, ((value: never) => void)[]>()
  /** Frames that the client has sent. */
  frames = 0
  seq = 0

  constructor(call: ServerDuplexStream<ClientFrame, ServerFrame>) {
    this.#call = call
    this.authorization = call.metadata.get('authorization')[0]
    this.closed = new Promise((resolve) => {
      call.on('cancelled', () => resolve())
      call.on('end', () => {
        call.end()
        resolve()
      })
      call.on('close', () => resolve())
    })
    call.on('error', () => {})
    call.on('data', (frame: ClientFrame) => {
      this.frames++
      for (const { kind } of frame.items) if (kind !== undefined) this.#take(kind)
    })
  }

  #take({ $case, value }: Said): void {
    const wanted = this.#wanted.get($case)?.shift()
    if (wanted !== undefined) return wanted(value as never)
    const said = this.#said.get($case) ?? []
    said.push(value)
    this.#said.set($case, said)
  }

  /** The next thing of a kind that the client says, or has said. */
  next<C extends Case>($case: C): Promise<ValueOf<C>> {
    return new Promise<ValueOf<C>>((resolve: (value: never) => void) => {
      const said = this.#said.get($case)?.shift()
      if (said !== undefined) return resolve(said as never)
      const wanted = this.#wanted.get($case) ?? []
      wanted.push(resolve)
      this.#wanted.set($case, wanted)
    })
  }

  /** What the client has said of a kind, and nobody has taken. */
  untaken($case: Case): number {
    return this.#said.get($case)?.length ?? 0
  }

  say(...items: Says[]): void {
    this.sayAs(++this.seq, ...items)
  }

  sayAs(frameSeq: number, ...items: Says[]): void {
    this.#call.write({ frameSeq, items: items.map((kind) => ({ kind })) })
  }

  welcome(given: Partial<Welcome> = {}): void {
    const base = { protocol: 1, serverId: 'one', heartbeatMs: 2000, maxFrameBytes: 0, maxWatches: 0, maxCredit: 0 }
    this.say({ $case: 'welcome', value: { ...base, ...given } })
  }

  end(): void {
    this.#call.end()
  }

  fail(code: status, details: string): void {
    this.#call.emit('error', { code, details } as ServiceError)
  }
}

/** A server of the native service that does only what the test says. */
export class ScriptedServer {
  readonly #server: Server
  readonly #streams: ScriptedStream[] = []
  readonly #wanted: ((stream: ScriptedStream) => void)[] = []
  port = 0
  /** With which new streams are refused. */
  refusal: { code: status; details: string } | undefined
  opened = 0

  private constructor() {
    this.#server = new Server()
    this.#server.addService(WatchServiceService, {
      session: (call: ServerDuplexStream<ClientFrame, ServerFrame>) => this.#open(call),
    })
  }

  static async start(port = 0, credentials = ServerCredentials.createInsecure()): Promise<ScriptedServer> {
    const scripted = new ScriptedServer()
    scripted.port = await new Promise((resolve, reject) => {
      scripted.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      )
    })
    return scripted
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  #open(call: ServerDuplexStream<ClientFrame, ServerFrame>): void {
    this.opened++
    const stream = new ScriptedStream(call)
    if (this.refusal !== undefined) return stream.fail(this.refusal.code, this.refusal.details)
    const wanted = this.#wanted.shift()
    if (wanted === undefined) this.#streams.push(stream)
    else wanted(stream)
  }

  /** The next stream that a client opens, or has opened. */
  stream(): Promise<ScriptedStream> {
    const stream = this.#streams.shift()
    if (stream !== undefined) return Promise.resolve(stream)
    return new Promise((resolve) => this.#wanted.push(resolve))
  }

  /** As if it were killed. */
  stop(): void {
    this.#server.forceShutdown()
  }
}
