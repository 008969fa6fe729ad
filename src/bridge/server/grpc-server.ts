import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import { logVerbosity, Server, ServerCredentials, type ServerOptions, setLogVerbosity } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import { acknowledged } from './acknowledged.js'
import { type Address, formatAddress, isLocal, parseAddress } from './address.js'
import { Admission } from './admission.js'
import { compatService } from './compat/index.js'
import { watchRpcs } from './compat/watch-rpcs.js'
import { Listener } from './listener.js'
import { noRates, RateLimit } from './rate-limit.js'
import type { ServerSettings, TlsOptions } from './server-options.js'
import type { BoundService, Drain, ServiceDeps } from './service-deps.js'
import { streamService } from './stream-service.js'
import { openGuard, TokenGuard } from './token-guard.js'
import { addReflection, Health } from './well-known.js'

/** Milliseconds that clients have to take in the last answers, and their connections to close. */
const LINGER = 1000

// What it would print of a call that it cannot read may be a token.
setLogVerbosity(logVerbosity.NONE)

/** The server of gRPC, with all its services and sockets. */
export class GrpcServer {
  readonly id = randomUUID()
  readonly #settings: ServerSettings
  readonly #server: Server
  readonly #admission: Admission
  readonly #services: readonly BoundService[]
  readonly #health: Health
  readonly #draining = new AbortController()
  #listener: Listener | undefined
  #drained: Promise<void> | undefined

  constructor(settings: ServerSettings, host: Pick<ServiceDeps, 'self' | 'sessions' | 'hostTools' | 'onMessage'>) {
    const { grants, limits, heartbeatMs, remoteTools } = settings
    const guard = grants === undefined ? openGuard : new TokenGuard(grants)
    const isLimited = Number.isFinite(limits.rate)
    const rates = isLimited ? new RateLimit(host.self.system.clock, limits.rate, grants !== undefined) : noRates
    this.#settings = settings
    this.#server = new Server(optionsOf(settings))
    this.#admission = new Admission(guard, rates, limits)
    const draining = this.#draining.signal
    const deps: ServiceDeps = {
      ...host,
      guard,
      rates,
      limits,
      serverId: this.id,
      heartbeatMs,
      remoteTools,
      draining,
    }
    this.#services = [compatService(deps, watchRpcs(deps)), streamService(deps)]
    for (const service of this.#services) this.#server.addService(service.definition, this.#admission.wrap(service))
    this.#health = new Health(this.#server, this.#admission)
  }

  /** @returns where it listens. @throws BeamlineError when it cannot, or the certificates are none */
  async listen(at: Address | string): Promise<string> {
    const address = typeof at === 'string' ? parseAddress(at) : at
    if (this.#settings.reflection) await addReflection(this.#server, this.#admission)
    const injector = this.#server.createConnectionInjector(credentialsOf(this.#settings.tls))
    this.#listener = await Listener.open(address, (socket: Socket) => injector.injectConnection(socket))
    return formatAddress(this.#listener.address)
  }

  get stats(): Readonly<Record<string, number>> {
    const counts = this.#services.map((service) => service.stats?.() ?? {})
    return Object.assign({}, ...counts, this.#admission.stats, { connections: this.#listener?.connections ?? 0 })
  }

  /**
   * Takes no more calls, and lets those that run come to their end; what is left after `graceMs` is cut off. The first that
   * asks says how long that may take.
   */
  drain(graceMs: number): Promise<void> {
    this.#drained ??= this.#drain(graceMs)
    return this.#drained
  }

  async #drain(graceMs: number): Promise<void> {
    this.#health.stopServing()
    this.#listener?.close()
    const idle = this.#admission.drain()
    this.#draining.abort({ graceMs } satisfies Drain)
    await within(graceMs, idle)
    this.#admission.cut()
    await within(LINGER, acknowledged(this.#server))
    const closed = new Promise<void>((resolve) => this.#server.tryShutdown(() => resolve()))
    await within(LINGER, closed)
    this.#server.forceShutdown()
    this.#listener?.destroy()
  }
}

async function within(ms: number, end: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(ms, 2 ** 31 - 1))
  })
  await Promise.race([end, late])
  clearTimeout(timer)
}

/** @throws BeamlineError INVALID_TYPE */
function credentialsOf(tls: TlsOptions | undefined): ServerCredentials {
  if (tls === undefined) return ServerCredentials.createInsecure()
  const [cert, key] = [Buffer.from(tls.cert), Buffer.from(tls.key)]
  const ca = tls.ca === undefined ? null : Buffer.from(tls.ca)
  try {
    createSecureContext({ cert, key, ...(ca !== null && { ca }) })
  } catch (error) {
    // Nothing of what was given must be told.
    const why = (error as NodeJS.ErrnoException).code ?? 'they cannot be read'
    const text = `tls: the certificates or the key are not right (${why}): give them as PEM, the key of that certificate`
    throw new BeamlineError('INVALID_TYPE', text, { details: { option: 'tls' } })
  }
  return ServerCredentials.createSsl(ca, [{ private_key: key, cert_chain: cert }], tls.requestClientCert ?? false)
}

function optionsOf({ address, limits }: ServerSettings): ServerOptions {
  return {
    'grpc.keepalive_time_ms': isLocal(address) ? 5000 : 10_000,
    'grpc.keepalive_timeout_ms': 5000,
    // Clients queue what is more than this, without a word: it must be so much that the limit of streams comes first.
    'grpc.max_concurrent_streams': Math.min(4 * limits.maxStreams + 1024, 2 ** 31 - 1),
    'grpc.max_receive_message_length': limits.maxMessageBytes,
    'grpc.max_send_message_length': limits.maxMessageBytes,
    'grpc.max_connection_idle_ms': 300_000,
    'grpc.enable_channelz': 0,
  }
}
