import type { ThreadTask } from './pools.js'
import { portCarrier } from './port-link.js'

/** Runs the program of this worker thread; its end is the thread's. Loaded by the pools, by its file name. */
export async function host({ module, data, end }: ThreadTask): Promise<void> {
  const program = (await import(module)) as {
    boot(data: unknown, end: unknown, carrier: unknown): { done: Promise<void> }
  }
  await program.boot(data, end, portCarrier).done
}
