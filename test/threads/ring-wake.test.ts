import { Bell } from '../../src/threads/bell.js'
import { Batch, type RingEnd } from '../../src/threads/link.js'
import { RingCarrier } from '../../src/threads/ring-carrier.js'
import type { Signal } from '../../src/threads/signal.js'
import { assert, eventually, suite } from '../harness.js'

const test = suite('who wakes a thread that sleeps')

const polling = { spin: 50, linger: 0 }
const carrier = () => new RingCarrier({ polling, ringSize: 16_384 })
const signal = (thread: number): Signal => ({ kind: 'dial', thread })
const batch = new Batch(false)

/** What a link tells, by thread numbers of the signals. */
function hearing() {
  const heard: number[] = []
  const events = {
    arrive: (work: () => void) => work(),
    receive: (one: Signal) => void heard.push((one as { thread: number }).thread),
    closed: () => {},
  }
  return { heard, events }
}

test('a peer that has not taken its end of a link is not woken by it, and so can be by others', async () => {
  const main = carrier()
  const [ofOne, ofTwo] = main.pair(1, 2, true) as [RingEnd, RingEnd]
  const bell = new Bell(ofTwo.bell)
  bell.park()
  const one = main.attach(ofOne, 2, batch, hearing().events)
  one.send(signal(1))
  assert.ok(bell.raise(Bell.bitOf(3)), 'another finds that it sleeps, and wakes it')
  const { heard, events } = hearing()
  const two = carrier().attach(ofTwo, 1, batch, events)
  await eventually(() => heard.length === 1)
  one.send(signal(2))
  await eventually(() => heard.length === 2)
  assert.equal(heard, [1, 2])
  for (const link of [one, two]) link.close()
})

test('a link is heard whose bit somebody else has raised before, and one that shares its bit with another', async () => {
  const main = carrier()
  const there = carrier()
  const { heard, events } = hearing()
  const links = [1, 32, 63].map((peer) => {
    const [far, near] = main.pair(peer, 2, true)
    const link = carrier().attach(far, 2, batch, hearing().events)
    link.send(signal(peer))
    return [link, there.attach(near, peer, batch, events)] as const
  })
  await eventually(() => heard.length === 3)
  for (const [link] of links) link.send(signal(0))
  await eventually(() => heard.length === 6)
  for (const link of links.flat()) link.close()
})

test.run()
