import { Worker } from 'node:worker_threads'
import { largestPayload, RingReader, RingWriter } from '../../src/threads/ring.js'
import type { RingWriterData } from '../fixtures/ring-writer.js'
import { LoadCheck } from './ring-load.js'

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Starts a writer on another thread, and lets `use` read what it writes, as long as it likes. */
export async function readLoad(
  data: RingWriterData,
  use: (check: LoadCheck, worker: Worker) => Promise<void>,
): Promise<void> {
  const { size } = new RingWriter(data.memory)
  const check = new LoadCheck(new RingReader(data.memory), data.memory, largestPayload(size))
  const worker = new Worker(new URL('../fixtures/ring-writer.js', import.meta.url), { workerData: data })
  try {
    await use(check, worker)
  } finally {
    await worker.terminate()
  }
}
