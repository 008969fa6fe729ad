import { Piscina } from 'piscina'
import type { Remote } from './peer.js'

/** A pool of one thread, given tasks. */
export class PiscinaPool implements Remote {
  readonly by = 'Piscina'
  readonly set = 'a task cannot call back'
  onChange: (value: number) => void = () => {}
  readonly #pool = new Piscina({
    filename: new URL('./piscina-worker.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
    idleTimeout: Number.POSITIVE_INFINITY,
    concurrentTasksPerWorker: 64,
  })

  readonly call = (value: number): Promise<unknown> => this.#pool.run(value, { name: 'call' })

  readonly tell = (value: number) => this.#pool.run(value, { name: 'tell' })

  readonly count = (): Promise<unknown> => this.#pool.run(0, { name: 'counted' })

  stop(): Promise<void> {
    return this.#pool.destroy()
  }
}
