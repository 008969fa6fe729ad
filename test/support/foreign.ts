import { once } from 'node:events'
import { type MessagePort, Worker } from 'node:worker_threads'
import { unpack } from '../../src/threads/payload.js'
import type { ForeignData, Said, Told } from '../fixtures/foreign.js'
import { eventually } from '../harness.js'

/** A worker thread that no system started; see the fixture. */
export class Foreign implements AsyncDisposable {
  readonly worker: Worker
  readonly seen: NonNullable<Said['seen']>[] = []
  readonly ended: NonNullable<Said['ended']>[] = []
  readonly #waiting = new Map<number, (said: Said) => void>()
  #number = 0

  private constructor(port: MessagePort, timeout: number | undefined) {
    const workerData: ForeignData = { port, timeout }
    this.worker = new Worker(new URL('../fixtures/foreign.js', import.meta.url), { workerData, transferList: [port] })
    this.worker.on('message', (said: Said) => {
      if (said.seen !== undefined) this.seen.push(said.seen)
      if (said.ended !== undefined) this.ended.push(said.ended)
      if (said.number !== undefined) this.#waiting.get(said.number)?.(said)
    })
  }

  static async start(port: MessagePort, timeout?: number): Promise<Foreign> {
    const foreign = new Foreign(port, timeout)
    await once(foreign.worker, 'message')
    return foreign
  }

  /** Lets it make a move; answers with what came of it, and rejects with its error. */
  do(move: string, ...args: unknown[]): Promise<unknown> {
    const number = ++this.#number
    const told = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, ({ value, error }) =>
        error === undefined ? resolve(value && unpack(value)) : reject(unpack(error)),
      )
    })
    this.worker.postMessage({ number, move, args } satisfies Told)
    return told
  }

  /** The values that its watch `key` has been told of. */
  valuesOf(key: unknown): unknown[] {
    return this.seen.filter(({ watch }) => watch === key).map(({ value }) => value)
  }

  /** The error that its watch `key` ended with. */
  async endOf(key: unknown): Promise<unknown> {
    await eventually(() => this.ended.some(({ watch }) => watch === key))
    return this.ended.find(({ watch }) => watch === key)?.code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate()
  }
}
