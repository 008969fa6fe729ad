import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type ChannelCredentials,
  type Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import type { ActorSystem } from '../../src/actors/system.js'
import { BridgeServiceClient } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { BridgeServer, type BridgeServerOptions } from '../../src/index.js'

const folder = fileURLToPath(new URL('../../../test/fixtures/tls/', import.meta.url))

/** A file of the test certificates. */
export const pem = (name: string): Buffer => readFileSync(join(folder, name))

/** What a peer is answered. */
export interface Answer {
  readonly code: number
  readonly details: string
  readonly value: unknown
  readonly metadata?: Metadata
}

/** Metadata that says a token. */
export function bearer(token: string): Metadata {
  const metadata = new Metadata()
  metadata.set('authorization', `Bearer ${token}`)
  return metadata
}

interface HealthClient extends Client {
  check(
    request: object,
    metadata: Metadata,
    options: object,
    done: (error: ServiceError | null, value: unknown) => void,
  ): void
  watch(request: object, metadata?: Metadata): ClientReadableStream<{ status: string }>
}

const Health = makeGenericClientConstructor(healthService as never, 'grpc.health.v1.Health')

/** A client of a server's that has nothing in common with it. */
export class Peer {
  readonly bridge: BridgeServiceClient
  readonly health: HealthClient

  constructor(address: string, creds: ChannelCredentials = credentials.createInsecure(), options: object = {}) {
    // Of an address as a name TLS warns.
    const name = creds._isSecure() ? { 'grpc.ssl_target_name_override': 'localhost' } : {}
    const own = { ...name, 'grpc.use_local_subchannel_pool': 1, 'grpc.initial_reconnect_backoff_ms': 20, ...options }
    this.bridge = new BridgeServiceClient(address, creds, own)
    this.health = new Health(address, creds, own) as unknown as HealthClient
  }

  /** Asks for the health of the whole server, or of one service. @param wait for a server that comes back */
  check(service = '', wait = false, metadata = new Metadata()): Promise<Answer> {
    if (wait) metadata.setOptions({ waitForReady: true })
    return answer((done) => this.health.check({ service }, metadata, deadline(), done))
  }

  ping(metadata = new Metadata(), message = 'x'): Promise<Answer> {
    return answer((done) => this.bridge.ping({ message }, metadata, deadline(), done))
  }

  close(): void {
    this.bridge.close()
    this.health.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

const deadline = () => ({ deadline: Date.now() + 20_000 })

/** How a call ends. */
export function answer(call: (done: (error: ServiceError | null, value: unknown) => void) => void): Promise<Answer> {
  return new Promise((resolve) => {
    call((error, value) =>
      resolve(
        error === null
          ? { code: 0, details: '', value }
          : { code: error.code, details: error.details, value: undefined, metadata: error.metadata },
      ),
    )
  })
}

/** Runs `body` with a server at any free port, which is stopped whatever happens. */
export async function withServer(
  system: ActorSystem,
  options: BridgeServerOptions,
  body: (server: BridgeServer) => Promise<void>,
): Promise<void> {
  await using server = await BridgeServer.start(system, { address: ':0', ...options })
  await body(server)
}
