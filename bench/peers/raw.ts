import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect } from '../harness/arm.js'
import type { Remote } from './peer.js'

const source = `
const { parentPort } = require('node:worker_threads')
let count = 0
const values = new Map()
parentPort.on('message', (message) => {
  if (message === 'count') { parentPort.postMessage({ count }); count = 0 }
  else if (message.call !== undefined) parentPort.postMessage(message)
  else if (message.tell !== undefined) count++
  else { values.set('x', message.set); parentPort.postMessage({ changed: message.set }) }
})`

/** What a user would write without any library: a worker and `postMessage`. One question at a time. */
export class Raw implements Remote {
  readonly by = 'raw postMessage'
  onChange: (value: number) => void = () => {}
  readonly #worker = new Worker(source, { eval: true })
  #answer: (message: unknown) => void = () => {}

  constructor() {
    this.#worker.on('message', (message) => {
      if (message.changed !== undefined) this.onChange(message.changed)
      else this.#answer(message.call ?? message.count)
    })
  }

  readonly call = (value: number) => this.#ask({ call: value })

  readonly tell = (value: number) => this.#worker.postMessage({ tell: value })

  readonly count = () => this.#ask('count') as Promise<number>

  readonly set = (value: number) => this.#worker.postMessage({ set: value })

  #ask(message: unknown): Promise<unknown> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#worker.postMessage(message)
    })
  }
}

/** A raw worker that says hello and then does as `rest` says, once it has said it. */
export async function rawWorker(rest: string): Promise<Worker> {
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage('hello'); ${rest}`, { eval: true })
  const [message] = await once(worker, 'message')
  expect('message', message, 'hello')
  return worker
}
