import { type ActorSystem, Bridge, Context, type Watch } from '../../../src/index.js'
import { eventually } from '../../../src/testing/eventually.js'
import type { SeededRandom } from '../../../src/testing/seeded-random.js'
import { assertClean } from './checker.js'
import { ChildServer } from './child-server.js'
import { type History, OperationRecorder, type Told, WatchRecorder } from './history.js'
import { TcpProxy } from './tcp-proxy.js'

export interface StormOptions {
  readonly random: SeededRandom
  readonly clients: number
  readonly watches: number
  readonly variables: number
  /** Told of each fault. */
  readonly onFault: (fault: string) => void
}

interface Watching {
  readonly watch: Watch
  readonly recorder: WatchRecorder
}

const always = ['reset', 'reset', 'cut', 'cut', 'hole', 'pause', 'half', 'delay', 'delay', 'end', 'freeze']
const killing = ['kill', 'kill', 'thread']
const HEARTBEAT = 300
const SESSION = 'storm'
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** One client, with a way to the server of its own. */
class Client {
  readonly name: string
  readonly proxy: TcpProxy
  readonly bridge: Bridge
  readonly ctx: Context
  readonly operations: OperationRecorder
  readonly watching: Watching[] = []
  #closing = false

  private constructor(name: string, proxy: TcpProxy, bridge: Bridge, ctx: Context) {
    this.name = name
    this.proxy = proxy
    this.bridge = bridge
    this.ctx = ctx
    this.operations = new OperationRecorder(name)
  }

  static async open(system: ActorSystem, name: string, address: string, whenOffline: 'wait' | 'reject') {
    const proxy = await TcpProxy.start(address)
    const options = { heartbeat: HEARTBEAT, backoff: { base: 20, cap: 300 }, timeout: 1500, whenOffline }
    const bridge = await Bridge.connect(system, proxy.address, options)
    return new Client(name, proxy, bridge, await Context.start(system, { id: SESSION, bridge }))
  }

  async watch(names: readonly string[], kind: 'every' | 'latest' | 'slow'): Promise<void> {
    const recorder = new WatchRecorder(this.name, `${kind}${this.watching.length}`, names, kind !== 'latest')
    let count = 0
    const slowly: typeof recorder.callback = (...change) => {
      recorder.callback(...change)
      count += 1
      return count % 50 === 0 ? pause(5) : undefined
    }
    const watch = await this.ctx.watch(names, kind === 'slow' ? slowly : recorder.callback, {
      includeInitial: true,
      onResync: recorder.onResync,
      delivery: kind === 'latest' ? 'latest' : 'every',
      onError: (error) => {
        if (!this.#closing) throw error
      },
    })
    this.watching.push({ watch, recorder })
  }

  async close(): Promise<void> {
    this.#closing = true
    await this.ctx.stop()
    await this.bridge.close()
    await this.proxy.close()
  }
}

/** A server in a program of its own, clients that write and watch, and whatever may happen between them. */
export class Storm implements AsyncDisposable {
  readonly server: ChildServer
  readonly #options: StormOptions
  readonly #clients: readonly Client[]
  readonly #names: readonly string[]
  #value = 0
  /** Writes and changes told so far. */
  writes = 0
  told = 0

  private constructor(
    options: StormOptions,
    server: ChildServer,
    clients: readonly Client[],
    names: readonly string[],
  ) {
    this.#options = options
    this.server = server
    this.#clients = clients
    this.#names = names
  }

  static async open(system: ActorSystem, options: StormOptions): Promise<Storm> {
    const names = Array.from({ length: options.variables }, (_, index) => `v${index}`)
    const server = await ChildServer.start({
      options: { address: '127.0.0.1:0', heartbeat: HEARTBEAT },
      sessions: { [SESSION]: names },
    })
    const clients: Client[] = []
    for (let index = 0; index < options.clients; index++)
      clients.push(await Client.open(system, `c${index}`, server.address, index % 3 === 2 ? 'reject' : 'wait'))
    const storm = new Storm(options, server, clients, names)
    for (let index = 0; index < options.watches; index++) {
      const kind = index % 10 === 0 ? 'latest' : index % 10 === 1 ? 'slow' : 'every'
      await storm.#client(index).watch(storm.#some(1 + options.random.below(8)), kind)
    }
    return storm
  }

  /** So many milliseconds of faults under load, then quiet, then the judgement. `kills` says whether logs may be lost. */
  async round(ms: number, kills: boolean): Promise<void> {
    let over = false
    const writers = Promise.all(this.#clients.map((client) => this.#write(client, () => over)))
    const { random } = this.#options
    const start = performance.now()
    let killAt = kills ? start + ms * (0.2 + 0.4 * random.next()) : Number.POSITIVE_INFINITY
    while (performance.now() < start + ms) {
      await pause(100 + random.below(700))
      const isTime = performance.now() > killAt
      if (isTime) killAt = Number.POSITIVE_INFINITY
      await this.#fault(random.pick(isTime ? killing : always))
    }
    for (const { proxy } of this.#clients) {
      proxy.resume()
      proxy.heal()
    }
    over = true
    await writers
    await this.#judge(kills ? 'many' : 'one')
  }

  async #write(client: Client, isOver: () => boolean): Promise<void> {
    const { random } = this.#options
    while (!isOver()) {
      const done = Array.from({ length: 40 }, async () => {
        const value = ++this.#value
        const names = this.#some(random.below(4) === 0 ? 3 : 1)
        const writes = Object.fromEntries(names.map((name) => [name, value]))
        await client.operations.write(writes, async () => {
          if (names.length > 1) return client.ctx.updateMany(writes)
          return { ...(await client.ctx.set(names[0] as string, value)) }
        })
        this.writes += 1
      })
      await Promise.all(done)
      await pause(client.bridge.state === 'ready' ? 1 : 20)
    }
  }

  async #fault(kind: string): Promise<void> {
    const { random, onFault } = this.#options
    const { proxy, name } = random.pick(this.#clients)
    const direction = random.pick(['up', 'down'] as const)
    onFault(`${kind} ${name} ${direction}`)
    switch (kind) {
      case 'reset':
        return proxy.reset()
      case 'cut':
        return proxy.cutAfter(random.below(20_000), direction)
      case 'hole':
        proxy.blackHole(random.pick(['up', 'down', 'both'] as const))
        await pause(random.below(4 * HEARTBEAT))
        return proxy.heal()
      case 'pause':
        proxy.pause(direction)
        await pause(random.below(5 * HEARTBEAT))
        return proxy.resume(direction)
      case 'half':
        return proxy.halfClose(direction)
      case 'delay':
        proxy.delay(random.below(100), direction)
        await pause(random.below(1000))
        return proxy.heal()
      case 'end':
        // There may be none at present, as it has just ended.
        return void (await this.server.child.ask({ kind: 'endBridge' }).catch(() => {}))
      case 'thread':
        await this.server.child.ask({ kind: 'killBridge' }).catch(() => {})
        // Node aborts when a thread is ended that is just reading the first of a stream: nodejs/node#38418.
        await pause(100)
        return this.server.isGone ? this.server.restart() : undefined
      case 'freeze':
        this.server.child.freeze()
        await pause(random.below(5 * HEARTBEAT))
        return this.server.child.thaw()
      default:
        await this.server.kill()
        return this.server.restart()
    }
  }

  async #judge(incarnations: History['incarnations']): Promise<void> {
    // Each client's own write is behind all that it was told before.
    for (const client of this.#clients) {
      await eventually(() => client.bridge.state === 'ready', { timeout: 20_000 })
      const value = ++this.#value
      const writes = { [this.#names[0] as string]: value }
      await client.operations.write(writes, () => client.ctx.updateMany(writes))
    }
    const final = await this.server.values(SESSION)
    const watching = this.#clients.flatMap((client) => client.watching)
    await eventually(() => watching.every((one) => isAtEnd(one, final)), { timeout: 20_000 }).catch(() => {})
    const operations = this.#clients.flatMap((client) => client.operations.take())
    const watches = watching.map(({ recorder }) => recorder.take())
    for (const { items } of watches) this.told += items.length
    assertClean({ operations, watches, final, incarnations })
  }

  #client(index: number): Client {
    return this.#clients[index % this.#clients.length] as Client
  }

  #some(count: number): string[] {
    const names = new Set<string>()
    while (names.size < count) names.add(this.#options.random.pick(this.#names))
    return [...names]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) await client.close()
    await this.server.kill()
  }
}

const isAtEnd = ({ watch, recorder }: Watching, final: Readonly<Record<string, Told>>): boolean => {
  const { told } = recorder
  return watch.names.every((name) => told[name]?.version === final[name]?.version)
}
