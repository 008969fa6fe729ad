import { Worker } from 'node:worker_threads'

/** A raw worker thread that sends every message back, or counts them until it is asked. */
const source = `
const { parentPort } = require('node:worker_threads')
let count = 0
parentPort.on('message', (message) => {
  if (message === 'count') { parentPort.postMessage(count); count = 0 }
  else if (message && message.echo) parentPort.postMessage(message)
  else count++
})`

/** What a user would write without any library: a worker and \`postMessage\`. */
export class RawPeer {
  readonly #worker = new Worker(source, { eval: true })

  /** There and back. */
  echo(value: number): Promise<unknown> {
    return this.#ask({ echo: value })
  }

  tell(value: number): void {
    this.#worker.postMessage({ value })
  }

  /** How many were told since it was last asked. */
  count(): Promise<unknown> {
    return this.#ask('count')
  }

  #ask(message: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      this.#worker.once('message', resolve)
      this.#worker.postMessage(message)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
