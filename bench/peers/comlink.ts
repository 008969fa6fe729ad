import { MessageChannel, Worker } from 'node:worker_threads'
import { proxy, type Remote as Wrapped, wrap } from 'comlink'
import type { Api } from './comlink-worker.js'
import type { Remote } from './peer.js'

/** An object in a worker, called through a proxy; its changes call a proxied callback. */
export class Comlink implements Remote {
  readonly by = 'Comlink'
  onChange: (value: number) => void = () => {}
  readonly #api: Wrapped<Api>

  private constructor() {
    const { port1, port2 } = new MessageChannel()
    const options = { workerData: { port: port2 }, transferList: [port2] }
    new Worker(new URL('./comlink-worker.js', import.meta.url), options)
    // A port of Node is what Comlink needs; only its type is another than the browser's.
    this.#api = wrap<Api>(port1 as never)
  }

  static async open(): Promise<Comlink> {
    const peer = new Comlink()
    await peer.#api.watch(proxy((value: number) => peer.onChange(value)))
    return peer
  }

  readonly call = (value: number) => this.#api.call(value)

  readonly tell = (value: number) => this.#api.tell(value)

  readonly count = () => this.#api.count()

  readonly set = (value: number) => this.#api.set(value)
}
