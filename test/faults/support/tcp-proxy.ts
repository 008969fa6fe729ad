import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { Pipe } from './pipe.js'

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down'
export type Directions = Direction | 'both'

/** `host:port` or `unix:/path`. */
export function endpoint(address: string): NetConnectOpts {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) }
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}

class Link {
  readonly #client: Socket
  readonly #server: Socket
  readonly up: Pipe
  readonly down: Pipe

  constructor(client: Socket, server: Socket, ended: () => void) {
    this.#client = client
    this.#server = server
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      // What happens to one end is passed on to the other by `close`.
      socket.on('error', () => {})
    }
    this.up = new Pipe(client, server, () => this.reset())
    this.down = new Pipe(server, client, () => this.reset())
    client.on('close', () => {
      server.destroy()
      ended()
    })
    server.on('close', () => {
      if (!this.down.stuck) this.down.flushed(() => client.destroy())
    })
  }

  pipes(which: Directions): Pipe[] {
    return which === 'both' ? [this.up, this.down] : [this[which]]
  }

  reset(): void {
    this.#client.resetAndDestroy()
    if ('path' in this.#server.address()) this.#server.destroy()
    else this.#server.resetAndDestroy()
  }

  destroy(): void {
    this.up.end()
    this.down.end()
    this.#client.destroy()
    this.#server.destroy()
  }
}

/** Stands between a client and a server, in user space, and does to their connections what networks do. */
export class TcpProxy implements AsyncDisposable {
  /** Where new connections go; a server that has moved is followed by setting it. */
  upstream: string
  /** Connections accepted so far. */
  accepted = 0
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #delays = { up: 0, down: 0 }
  #holes = { up: false, down: false }
  #refusing = false
  #cut: { readonly direction: Direction; readonly bytes: number } | undefined

  private constructor(server: Server, upstream: string) {
    this.#server = server
    this.upstream = upstream
    server.on('connection', (client) => this.#accept(client))
  }

  static async start(upstream: string): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TcpProxy(server, upstream)
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Connections that are open. */
  get open(): number {
    return this.#links.size
  }

  /** Bytes passed on so far over the connections that are open. */
  passed(direction: Direction): number {
    return [...this.#links].reduce((sum, link) => sum + link[direction].passed, 0)
  }

  /** Resolves with the next connection. */
  async connected(): Promise<void> {
    await once(this.#server, 'connection')
  }

  /** Reads nothing more, so that the sender's window fills; connections made later are not paused. */
  pause(which: Directions = 'both'): void {
    for (const pipe of this.#pipes(which)) pipe.pause()
  }

  resume(which: Directions = 'both'): void {
    for (const pipe of this.#pipes(which)) pipe.resume()
  }

  /**
   * Takes everything and passes nothing on, ends and resets neither, for connections of now and of later. What is open
   * stays like that for ever: bytes are missing in it.
   */
  blackHole(which: Directions = 'both'): void {
    this.#holes = { up: which !== 'down', down: which !== 'up' }
    for (const pipe of this.#pipes(which)) pipe.swallow()
  }

  /** Connections made from now on are sound. */
  heal(): void {
    this.#holes = { up: false, down: false }
    this.#refusing = false
    this.#cut = undefined
    this.delay(0)
  }

  /** Each open connection ends with RST, on both sides. */
  reset(): void {
    for (const link of this.#links) link.reset()
  }

  /** New connections end with RST at once. */
  refuse(): void {
    this.#refusing = true
  }

  /** FIN in one direction. */
  halfClose(direction: Direction): void {
    for (const pipe of this.#pipes(direction)) pipe.finish()
  }

  /** Every byte takes so much longer, without changing the order. */
  delay(ms: number, which: Directions = 'both'): void {
    for (const direction of ['up', 'down'] as const)
      if (which === 'both' || which === direction) this.#delays[direction] = ms
    for (const pipe of this.#pipes(which)) pipe.delay = ms
  }

  /** Each connection, of now and of later, is reset when so many more bytes have passed in a direction. */
  cutAfter(bytes: number, direction: Direction): void {
    this.#cut = { bytes, direction }
    for (const pipe of this.#pipes(direction)) pipe.cutAfter(bytes)
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.destroy()
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #pipes(which: Directions): Pipe[] {
    return [...this.#links].flatMap((link) => link.pipes(which))
  }

  #accept(client: Socket): void {
    this.accepted += 1
    if (this.#refusing) {
      client.on('error', () => {})
      client.resetAndDestroy()
      return
    }
    const link = new Link(client, connect({ ...endpoint(this.upstream), allowHalfOpen: true }), () =>
      this.#links.delete(link),
    )
    this.#links.add(link)
    for (const direction of ['up', 'down'] as const) {
      const pipe = link[direction]
      pipe.delay = this.#delays[direction]
      if (this.#holes[direction]) pipe.swallow()
      if (this.#cut?.direction === direction) pipe.cutAfter(this.#cut.bytes)
    }
  }
}
