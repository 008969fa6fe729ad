import { credentials, Metadata, Server, ServerCredentials } from '@grpc/grpc-js'
import { type Behaviour, behaviour } from '../../src/actors/behaviour.js'
import type { Process } from '../../src/actors/process.js'
import { WatchServiceClient, WatchServiceService } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import type { Caller } from '../../src/bridge/server/guard.js'
import { defaultLimits, type Limits } from '../../src/bridge/server/limits.js'
import type { LogBounds } from '../../src/bridge/server/mirror-log.js'
import type { BoundService, ServiceDeps } from '../../src/bridge/server/service-deps.js'
import type { Session, Sessions } from '../../src/bridge/server/session.js'
import { streamService } from '../../src/bridge/server/stream-service.js'
import { type ActorSystem, BeamlineError, Context, type Pid } from '../../src/index.js'
import { eventually } from '../harness.js'
import { RawStream } from './raw-stream.js'

export interface StreamServerOptions {
  readonly limits?: Partial<Limits>
  readonly bounds?: LogBounds
  readonly heartbeatMs?: number
  readonly ttlMs?: number
  readonly caller?: Caller
  /** Who calls by what is said; {@link caller} unless told. */
  readonly callerOf?: (metadata: Metadata) => Caller
  /** Another service than the native one. */
  readonly service?: (deps: ServiceDeps) => BoundService
}

const anyone: Caller = { key: '', require: () => {} }

/** Sessions of contexts that the test itself has. */
class TestSessions implements Sessions {
  readonly #self: () => Process
  readonly #all = new Map<string, Session & { readonly abort: AbortController }>()
  ttlMs = Number.POSITIVE_INFINITY
  touches = 0

  constructor(self: () => Process) {
    this.#self = self
  }

  async get(id: string): Promise<Session> {
    const session = this.#all.get(id)
    if (session === undefined) throw new BeamlineError('NOT_FOUND', `Session not found: ${id}`)
    return session
  }

  async create(id: string, metadata: Readonly<Record<string, string>> = {}): Promise<Session> {
    if (this.#all.has(id)) throw new BeamlineError('ALREADY_EXISTS', `Session already exists: ${id}`)
    await Context.start(this.#self().system, { id })
    const abort = new AbortController()
    const context = Context.attach(this.#self(), id)
    const session = { id, context, createdAt: Date.now(), metadata, signal: abort.signal, abort }
    this.#all.set(id, session)
    return session
  }

  async delete(id: string): Promise<boolean> {
    const session = this.#all.get(id)
    if (session === undefined) return false
    this.#all.delete(id)
    session.abort.abort()
    await session.context.stop()
    return true
  }

  async touch(id: string): Promise<boolean> {
    this.touches++
    return this.#all.has(id)
  }

  async list(): Promise<Session[]> {
    return [...this.#all.values()]
  }
}

/** A server of the native service on the test's own thread, so that the test sees into it. */
export class StreamServer implements AsyncDisposable {
  readonly sessions: TestSessions
  readonly address: string
  readonly service: BoundService
  readonly #system: ActorSystem
  readonly #server: Server
  readonly #pid: Pid
  readonly #draining: AbortController
  readonly #clients: WatchServiceClient[] = []

  private constructor(
    system: ActorSystem,
    server: Server,
    pid: Pid,
    sessions: TestSessions,
    service: BoundService,
    port: number,
    draining: AbortController,
  ) {
    this.#system = system
    this.#server = server
    this.#pid = pid
    this.sessions = sessions
    this.service = service
    this.address = `127.0.0.1:${port}`
    this.#draining = draining
  }

  static async start(system: ActorSystem, options: StreamServerOptions = {}): Promise<StreamServer> {
    const takers: ((message: unknown) => boolean)[] = []
    let self: Process | undefined
    const pid = await system.spawn(
      behaviour((process: Process): Behaviour => {
        self = process
        return { handle: (message) => void takers.some((take) => take(message)) }
      }),
    )
    const own = self as unknown as Process
    const sessions = new TestSessions(() => own)
    sessions.ttlMs = options.ttlMs ?? Number.POSITIVE_INFINITY
    const draining = new AbortController()
    const caller = options.caller ?? anyone
    const deps: ServiceDeps = {
      self: own,
      sessions,
      guard: { admit: options.callerOf ?? (() => caller) },
      rates: { of: () => ({ owe: () => {}, take: () => {} }) },
      limits: { ...defaultLimits, ...options.limits },
      serverId: 'the-server',
      heartbeatMs: options.heartbeatMs ?? 10_000,
      hostTools: pid,
      remoteTools: [],
      draining: draining.signal,
      onMessage: (taker) => void takers.push(taker),
    }
    const service = options.service?.(deps) ?? streamService(deps, options.bounds)
    const server = new Server()
    server.addService(service.definition, service.implementation)
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      )
    })
    return new StreamServer(system, server, pid, sessions, service, port, draining)
  }

  /** A session with a context of its own. */
  async session(id: string): Promise<Context> {
    return (await this.sessions.create(id)).context
  }

  get stats(): Readonly<Record<string, number>> {
    return this.service.stats?.() ?? {}
  }

  drain(graceMs = 1000): void {
    this.#draining.abort({ graceMs })
  }

  /** A stream on a connection of its own, which has said hello. */
  async stream(hello: Partial<Parameters<RawStream['hello']>[0]> = {}): Promise<RawStream> {
    const stream = this.silent()
    stream.hello(hello)
    await stream.until('welcome')
    return stream
  }

  /** As {@link stream}, without a hello. */
  silent(options: object = {}, metadata = new Metadata()): RawStream {
    const client = new WatchServiceClient(this.address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': 16 * 1024 * 1024,
      ...options,
    })
    this.#clients.push(client)
    return new RawStream(client.session(metadata))
  }

  /** A stream of whatever bytes. */
  bytes(): RawStream & { readonly call: { write(bytes: Buffer): void } } {
    const client = new WatchServiceClient(this.address, credentials.createInsecure())
    this.#clients.push(client)
    const { path, responseDeserialize } = WatchServiceService.session
    const call = client.makeBidiStreamRequest(path, (bytes: Buffer) => bytes, responseDeserialize, new Metadata(), {})
    return new RawStream(call as never) as never
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.close()
    for (const { id } of await this.sessions.list()) await this.sessions.delete(id)
    this.#server.forceShutdown()
    await eventually(() => {
      if ((this.stats['watches'] ?? 0) > 0) throw new Error('watches are left')
    })
    this.drain(0)
    this.#system.self.exit(this.#pid, 'kill')
  }
}
