import { workerData } from 'node:worker_threads'
import { expose } from 'comlink'

let count = 0
let callback: (value: number) => unknown = () => {}
const values = new Map<string, number>()

const api = {
  call: (value: number) => value,
  tell: (_value: number) => void count++,
  count() {
    const counted = count
    count = 0
    return counted
  },
  watch(changed: (value: number) => unknown) {
    callback = changed
  },
  set(value: number) {
    values.set('x', value)
    // Not awaited: its answer is nobody's business.
    callback(value)
  },
}

export type Api = typeof api

expose(api, workerData.port)
