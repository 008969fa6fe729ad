import { once } from 'node:events'
import { Batch, type Link, type RingEnd } from '../../src/threads/link.js'
import { RingCarrier } from '../../src/threads/ring-carrier.js'
import { copyOf } from '../../src/threads/wire.js'
import { assert } from '../harness.js'

interface Ends {
  readonly a: Link
  readonly b: Link
  /** What `b` heard: the signals, and `closed` with the number of the peer. */
  readonly heard: unknown[]
  /** The kinds of signals that `a` could not send in a batch, with the code of the refusal. */
  readonly lost: unknown[]
  readonly batch: Batch
  /** How many signals of `a` found no room in the ring. */
  spilled(): number
  /** Resolves when `b` has heard `closed`. */
  readonly closed: Promise<unknown>
}

/** Both ends of a link in this thread. */
export function ends({ size = 16_384, spin = 0 } = {}): Ends {
  const options = { polling: { spin, linger: 100 }, ringSize: size }
  const [first, second] = new RingCarrier(options).pair(1, 2, false) as [RingEnd, RingEnd]
  const batch = new Batch(true)
  const heard: unknown[] = []
  const lost: unknown[] = []
  let spilled = 0
  const a = new RingCarrier().attach(first, 2, batch, {
    arrive: (work) => work(),
    receive: () => {},
    spilled: () => {
      spilled++
    },
    lost: ({ kind }, { code }) => lost.push([kind, code]),
    closed: () => {},
  })
  const b = new RingCarrier().attach(second, 1, new Batch(false), {
    arrive: (work) => work(),
    receive: (signal) => heard.push(signal.kind === 'wire' ? copyOf(signal) : signal),
    closed: (peer) => heard.push(`closed ${peer}`),
  })
  return { a, b, heard, lost, batch, spilled: () => spilled, closed: once(second.port, 'close') }
}

/** Sends what `work` sends, closes, and gives all that was heard before the closing. */
export async function heardOf(given: Ends, work: (link: Link) => void): Promise<unknown[]> {
  work(given.a)
  given.a.close()
  await given.closed
  assert.is(given.heard.pop(), 'closed 1')
  return given.heard
}
