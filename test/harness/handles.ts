import { subscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'

const patience = 2000

/** Those that live; Node does not count them among its active resources. */
const workers = new Set<Worker>()
subscribe('worker_threads', (message) => {
  const { worker } = message as { worker: Worker }
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
})

// Opened now, so that the pipes of this process's own output never count as left open by a test.
void [process.stdout, process.stderr]

/** What keeps the program alive: ports, sockets, timers, children, workers and all else that Node knows of. */
export interface Handles {
  readonly kinds: readonly string[]
  readonly workers: ReadonlySet<Worker>
}

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export function openHandles(): Handles {
  return { kinds: process.getActiveResourcesInfo(), workers: new Set(workers) }
}

/** The kinds of handles that are open now and were not at `base`, once those that are closing had time to. */
export async function leftOpen(base: Handles): Promise<string[]> {
  const start = Date.now()
  for (;;) {
    await turn()
    const left = beyond(base)
    if (left.length === 0 || Date.now() - start > patience) return left
  }
}

/** Ends the workers that were not there at `base`. */
export async function terminateWorkers(base: Handles): Promise<void> {
  await Promise.all([...workers].filter((worker) => !base.workers.has(worker)).map((worker) => worker.terminate()))
}

function beyond(base: Handles): string[] {
  const kinds = process.getActiveResourcesInfo()
  for (const kind of base.kinds) if (kinds.includes(kind)) kinds.splice(kinds.indexOf(kind), 1)
  return [...kinds, ...[...workers].filter((worker) => !base.workers.has(worker)).map(() => 'Worker')]
}
