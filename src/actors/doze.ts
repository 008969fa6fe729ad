import { Process } from './process.js'

/**
 * The thread of an isolated process waits for more than signals, such as sockets. From now on neither it nor its peers look
 * for what they send each other before they sleep: while a message is on its way through the network, threads that look
 * for the answer would keep the cores from those that work for it. Each signal that is not expected costs a wake-up.
 */
export function doze(self: Process): void {
  Process.hostOf(self).control.doze?.()
}

/** On a thread that dozes: what `work`, which is none of a user's, sends to one peer leaves in one piece, and wakes it once. */
export function together(self: Process, work: () => void): void {
  Process.hostOf(self).batch.run(work)
}
