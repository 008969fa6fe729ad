import type { Transfer } from './payload.js'
import type { Job, ThreadTask } from './pools.js'
import { portCarrier } from './port-link.js'
import { RingCarrier } from './ring-carrier.js'

/** Runs the program of this worker thread; its end is the thread's. Loaded by the pools, by its file name. */
export async function host({ module, data, end }: ThreadTask): Promise<void> {
  const program = (await import(module)) as {
    boot(data: unknown, end: unknown, carrier: unknown): { done: Promise<void> }
  }
  await program.boot(data, end, typeof end === 'object' && 'inbox' in end ? new RingCarrier() : portCarrier).done
}

/** Does one job. */
export async function job({ module, data }: Omit<Job, 'transfer'>): Promise<unknown> {
  const program = (await import(module)) as { work(data: unknown): Promise<{ report: unknown; transfer: Transfer }> }
  const { report, transfer } = await program.work(data)
  // It loads Piscina, which most jobs do not need.
  return transfer.length === 0 ? report : (await import('./pools.js')).movable(report, transfer)
}
