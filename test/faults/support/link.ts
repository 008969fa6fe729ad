import type { BridgeOptions } from '../../../src/index.js'
import {
  type ActorSystem,
  Bridge,
  BridgeServer,
  type BridgeServerOptions,
  Context,
  type Watch,
} from '../../../src/index.js'
import { eventually } from '../../harness.js'
import { assertClean } from './checker.js'
import { type History, OperationRecorder, type Told, WatchRecorder } from './history.js'
import { TcpProxy } from './tcp-proxy.js'

/** Beats so short that a test sees three of them missed. */
export const HEARTBEAT = 200
export const quick: BridgeOptions = { heartbeat: HEARTBEAT, backoff: { base: 10, cap: 100 }, timeout: 2000 }

export interface Watching {
  readonly watch: Watch
  readonly recorder: WatchRecorder
}

/** A server, and a client that reaches it through a proxy. */
export class Link implements AsyncDisposable {
  readonly server: BridgeServer
  readonly proxy: TcpProxy
  readonly bridge: Bridge
  /** The session where it lives. */
  readonly there: Context
  /** The same behind the bridge. */
  readonly here: Context
  readonly operations = new OperationRecorder('here')
  readonly watching: Watching[] = []
  #value = 0

  private constructor(parts: Pick<Link, 'server' | 'proxy' | 'bridge' | 'there' | 'here'>) {
    this.server = parts.server
    this.proxy = parts.proxy
    this.bridge = parts.bridge
    this.there = parts.there
    this.here = parts.here
  }

  static async open(
    system: ActorSystem,
    names: readonly string[],
    { server: serving = {}, bridge: bridging = {} }: { server?: BridgeServerOptions; bridge?: BridgeOptions } = {},
  ): Promise<Link> {
    const server = await BridgeServer.start(system, { address: '127.0.0.1:0', heartbeat: HEARTBEAT, ...serving })
    const there = await server.sessions.create()
    for (const name of names) await there.define(name, 'integer', 0)
    const proxy = await TcpProxy.start(server.address)
    const bridge = await Bridge.connect(system, proxy.address, { ...quick, ...bridging })
    const here = await Context.start(system, { id: there.id, bridge })
    return new Link({ server, proxy, bridge, there, here })
  }

  async watch(names: readonly string[], recorder = new WatchRecorder('here', `w${this.watching.length}`, names)) {
    const { callback, onResync } = recorder
    const watch = await this.here.watch(names, callback, { includeInitial: true, onResync })
    this.watching.push({ watch, recorder })
    return recorder
  }

  /** A value that nobody has written before. */
  next(): number {
    this.#value += 1
    return this.#value
  }

  /** Writes to the names at once, from one side or the other. */
  write(names: readonly string[], by: Context = this.here): Promise<number | undefined> {
    const value = this.next()
    const writes = Object.fromEntries(names.map((name) => [name, value]))
    return this.operations.write(writes, () => by.updateMany(writes))
  }

  async final(): Promise<Record<string, Told>> {
    const infos = await this.there.list()
    return Object.fromEntries(infos.map(({ name, value, version, revision }) => [name, { value, version, revision }]))
  }

  /** Waits until every watch was told the end, and judges what they were told on the way. */
  async judge(incarnations: History['incarnations'] = 'one', timeout = 8000): Promise<void> {
    const final = await this.final()
    const isThere = ({ recorder, watch }: Watching) =>
      watch.names.every((name) => recorder.told[name]?.version === final[name]?.version)
    await eventually(() => this.watching.every(isThere), { timeout }).catch(() => {})
    const watches = this.watching.map(({ recorder }) => recorder.take())
    assertClean({ operations: this.operations.take(), watches, final, incarnations })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bridge.close()
    await this.server.stop({ grace: 200 })
    await this.proxy.close()
  }
}
