import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, latency } from './support.js'

/** Sends every message back, or counts them until it is asked. */
const source = `
const { parentPort } = require('node:worker_threads')
let count = 0
parentPort.on('message', (message) => {
  if (message === 'count') { parentPort.postMessage(count); count = 0 }
  else if (message.echo) parentPort.postMessage(message)
  else count++
})`

/** What a user would write without any library: a worker and `postMessage`. One question at a time. */
export class RawPeer {
  readonly #worker = new Worker(source, { eval: true })
  #answer: (message: unknown) => void = () => {}

  constructor() {
    this.#worker.on('message', (message) => this.#answer(message))
  }

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
      this.#answer = resolve
      this.#worker.postMessage(message)
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

export const roundTrip = 'raw postMessage, there and back'

/** Declares the arm that most others are compared with. */
export function rawRoundTrip(raw: RawPeer): void {
  let serial = 0
  latency(roundTrip, async (watch) => {
    const value = ++serial
    watch.start()
    const message = await raw.echo(value)
    watch.stop()
    expect('echo', (message as { echo: number }).echo, value)
  })
}

/** A raw worker that says hello and then does as `rest` says, once it has said it. */
export async function rawWorker(rest: string): Promise<Worker> {
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage('hello'); ${rest}`, { eval: true })
  const [message] = await once(worker, 'message')
  expect('message', message, 'hello')
  return worker
}
