import type { LinkEvents } from '../../src/threads/link.js'
import type { Signal } from '../../src/threads/signal.js'

/** What a link tells, where `receive` is given all signals that arrived together. */
export function together(
  receive: (signals: readonly Signal[], from: number) => unknown,
  others: Omit<LinkEvents, 'arrive' | 'receive'>,
): LinkEvents {
  let arrived: Signal[] = []
  let peer = -1
  return {
    ...others,
    arrive(work) {
      arrived = []
      work()
      if (arrived.length > 0) receive(arrived, peer)
    },
    receive(signal, from) {
      peer = from
      arrived.push(signal)
    },
  }
}
