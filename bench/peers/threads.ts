import type { Worker } from 'node:worker_threads'
import { load } from './load.js'
import type { Remote } from './peer.js'

interface Api {
  call(value: number): Promise<unknown>
  tell(value: number): Promise<unknown>
  count(): Promise<number>
  set(value: number): Promise<unknown>
  changes(): { subscribe(next: (value: number) => void): unknown }
}

interface Package {
  spawn(worker: object): Promise<Api>
  readonly Worker: new (path: string) => Worker
}

/** threads.js: functions of a worker, called as promises; its changes are an observable. */
export class Threads implements Remote {
  readonly by = 'threads.js'
  onChange: (value: number) => void = () => {}
  readonly call: Remote['call']
  readonly tell: Remote['tell']
  readonly count: Remote['count']
  readonly set: Remote['set']

  private constructor(api: Api) {
    this.call = (value) => api.call(value)
    this.tell = (value) => api.tell(value)
    this.count = () => api.count()
    this.set = (value) => api.set(value)
  }

  static async open(): Promise<Threads> {
    const threads = load<Package>('threads')
    // It takes a path to be relative to the file that asks, which is a built one.
    const worker = new threads.Worker('../../../bench/peers/threads-worker.mjs')
    // It adds one for each call in flight.
    worker.setMaxListeners(0)
    const api = await threads.spawn(worker)
    const peer = new Threads(api)
    api.changes().subscribe((value) => peer.onChange(value))
    return peer
  }
}
