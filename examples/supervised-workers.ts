// Workers on threads of their own, one of whose jobs crashes whoever takes it. A supervisor brings them back, and no job is
// lost. Run it: npx tsc && node build/examples/supervised-workers.js. In a program of your own, import from 'beamline'.
import { isMainThread } from 'node:worker_threads'
import { ActorSystem, isDown, type Pid, type Process, Server, Supervisor } from '../src/index.js'

const TRIES = 3

/** Hands out jobs, and takes a job back when its worker dies. */
export class Queue extends Server<{ jobs: number[]; boss: Pid }> {
  static override readonly module = import.meta.url
  #waiting: number[] = []
  readonly #taken = new Map<string, number>()
  readonly #tries = new Map<number, number>()
  readonly #results = new Map<number, number>()
  #boss!: Pid

  override init({ jobs, boss }: { jobs: number[]; boss: Pid }): void {
    this.#waiting = [...jobs]
    this.#boss = boss
  }

  take(): number | undefined {
    const job = this.#waiting.shift()
    if (job === undefined || this.from === undefined) return undefined
    this.#taken.set(this.self.monitor(this.from.pid).toString(), job)
    return job
  }

  done(job: number, result: number): void {
    this.#results.set(job, result)
    this.#report()
  }

  override handleInfo(message: unknown): void {
    if (!isDown(message)) return
    const job = this.#taken.get(message.ref.toString())
    if (job === undefined || this.#results.has(job)) return
    const tries = (this.#tries.get(job) ?? 0) + 1
    this.#tries.set(job, tries)
    if (tries < TRIES) this.#waiting.push(job)
    else this.#results.set(job, Number.NaN)
    this.#report()
  }

  #report(): void {
    if (this.#results.size === 8) this.self.send(this.#boss, new Map([...this.#results].sort(([a], [b]) => a - b)))
  }
}

/** Does jobs until it is told to stop. */
export async function worker(self: Process): Promise<void> {
  const queue = Server.ref<Queue>(self, 'queue')
  for (;;) {
    const job = await queue.take()
    if (job === undefined) return
    if (job === 4) throw new Error('job 4 is more than a worker can bear')
    await queue.done(job, job ** 2)
  }
}

// The worker threads import this file, too, for what is above.
if (isMainThread) {
  const system = await ActorSystem.start({ threads: 1 })
  const jobs = [1, 2, 3, 4, 5, 6, 7, 8]
  const work = { entry: { module: import.meta.url, export: 'worker' }, options: { thread: 'isolated' } } as const
  const supervisor = await Supervisor.start(
    system,
    [
      { id: 'queue', start: { server: Queue, args: { jobs, boss: system.self.pid }, options: { name: 'queue' } } },
      { id: 'worker 1', start: work, restart: 'transient' },
      { id: 'worker 2', start: work, restart: 'transient' },
    ],
    { maxRestarts: TRIES },
  )
  for (const [job, result] of await system.self.receive<Map<number, number>>())
    console.log(Number.isNaN(result) ? `job ${job}: given up after ${TRIES} crashes` : `job ${job}: ${result}`)
  const { specs } = await supervisor.countChildren()
  console.log(`${specs} children, the supervisor lives: ${system.isAlive(supervisor.pid)}`)
  await system.stop()
}
