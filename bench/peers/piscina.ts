import { Piscina } from 'piscina'
import type { Remote } from './peer.js'

/** A pool of threads, given tasks; the counts are right with one thread. */
export class PiscinaPool implements Remote {
  readonly by = 'Piscina'
  readonly set = 'a task cannot call back'
  onChange: (value: number) => void = () => {}
  readonly #pool: Piscina

  constructor(threads = 1) {
    this.#pool = new Piscina({
      filename: new URL('./piscina-worker.js', import.meta.url).href,
      minThreads: threads,
      maxThreads: threads,
      idleTimeout: Number.POSITIVE_INFINITY,
    })
  }

  readonly call = (value: number): Promise<unknown> => this.#pool.run(value, { name: 'call' })

  readonly tell = (value: number) => this.#pool.run(value, { name: 'tell' })

  readonly count = (): Promise<number> => this.#pool.run(0, { name: 'counted' })
}
