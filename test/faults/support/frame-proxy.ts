import { credentials, Server, ServerCredentials, type ServerDuplexStream, status } from '@grpc/grpc-js'
import {
  type ClientFrame,
  type ServerFrame,
  WatchServiceClient,
  WatchServiceService,
} from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'

/** What becomes of a frame of the server on its way: itself, nothing, or several. */
export type Tamper = (frame: ServerFrame) => ServerFrame[]

/** Stands between a client and a server, and tampers with what the server says. */
export class FrameProxy implements AsyncDisposable {
  readonly address: string
  /** Streams opened so far. */
  opened = 0
  tamper: Tamper | undefined
  readonly #server: Server
  readonly #client: WatchServiceClient

  private constructor(server: Server, port: number, client: WatchServiceClient) {
    this.#server = server
    this.#client = client
    this.address = `127.0.0.1:${port}`
  }

  static async start(upstream: string): Promise<FrameProxy> {
    const server = new Server()
    const client = new WatchServiceClient(upstream, credentials.createInsecure())
    let proxy: FrameProxy | undefined
    server.addService(WatchServiceService, {
      session: (call: ServerDuplexStream<ClientFrame, ServerFrame>) => proxy?.pass(call),
    })
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      ),
    )
    proxy = new FrameProxy(server, port, client)
    return proxy
  }

  private pass(call: ServerDuplexStream<ClientFrame, ServerFrame>): void {
    this.opened += 1
    const up = this.#client.session()
    call.on('data', (frame: ClientFrame) => up.write(frame))
    call.on('end', () => up.end())
    call.on('cancelled', () => up.cancel())
    call.on('error', () => up.cancel())
    up.on('data', (frame: ServerFrame) => {
      for (const one of this.tamper?.(frame) ?? [frame]) call.write(one)
    })
    up.on('end', () => call.end())
    up.on('error', (error) => {
      if (!call.cancelled) call.emit('error', { code: status.UNAVAILABLE, details: error.message })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.forceShutdown()
    this.#client.close()
  }
}
