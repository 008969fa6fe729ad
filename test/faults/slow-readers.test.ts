import { OnGap, Policy, Reason } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { ChildServer } from './support/child-server.js'
import { RawStream } from './support/raw-stream.js'

const test = suite('faults: slow readers', { timeout: 60_000 })
const names = range(0, 9).map((index) => `v${index}`)
/** More than the log of a session keeps. */
const BURST = 70_000
const MB = 1 << 20

type Body = (server: ChildServer, burst: (count: number) => Promise<void>) => Promise<void>

/** A server of its own, so that its memory is only its own; `burst` writes so many values, counting up. */
function against(body: Body): () => Promise<void> {
  return async () => {
    await using server = await ChildServer.start({
      options: { address: '127.0.0.1:0', heartbeat: 500 },
      sessions: { s: names },
    })
    let from = 1
    await body(server, async (count) => {
      await server.child.ask({ kind: 'burst', session: 's', names, from, count })
      from += count
    })
  }
}

/**
 * Writes so much that a queue for whoever does not read would be seen, and looks at what the server takes; answers how many
 * writes that were. Its threads collect when they like, so that what it takes goes up and down by tens of megabytes: the lows
 * count.
 */
async function staysFlat(server: ChildServer, burst: (count: number) => Promise<void>): Promise<number> {
  const low = async (bursts: number): Promise<number> => {
    let least = Number.POSITIVE_INFINITY
    for (let done = 0; done < bursts; done++) {
      await burst(BURST)
      least = Math.min(least, await server.memory())
    }
    return least
  }
  // The log fills, and the heap becomes as large as that needs: memory which the server has anyway.
  await low(10)
  const before = await low(7)
  const grown = (await low(7)) - before
  assert.ok(grown < 24 * MB, `${Math.round(grown / MB)} MB`)
  return 24 * BURST
}

test(
  'fault 7: a watch of the latest that is not read costs the server nothing, and ends on the newest',
  against(async (server, burst) => {
    await using stream = new RawStream(server.address, { acks: false })
    stream.watch(1, 's', { policy: Policy.POLICY_LATEST, credit: 20 })
    await stream.next('snapshot', ({ last }) => last)
    const written = await staysFlat(server, burst)
    const seen = stream.events(1).length
    stream.send({ $case: 'ack', value: { watches: [{ watchId: 1, through: 0, credit: 1000 }], repliesSeen: 0 } })
    await stream.next('batch', ({ events }) => events.some(({ revision }) => revision === written + 10))
    const events = stream.events(1)
    assert.ok(events.length - seen <= 2 * names.length, `${events.length - seen} events for ${names.length} variables`)
    const told = events.length + events.reduce((sum, { conflated }) => sum + conflated, 0)
    assert.is(told, written)
    const last = new Map(events.map(({ number, value }) => [number, value?.kind?.value]))
    assert.equal(
      [...last.values()].sort((a, b) => Number(a) - Number(b)),
      range(written - 9, written),
    )
  }),
)

test(
  'fault 8: a lossless watch that pauses within the log is told everything, in order',
  against(async (server, burst) => {
    await using stream = new RawStream(server.address, { acks: false })
    stream.watch(1, 's', { credit: 20 })
    await stream.next('snapshot', ({ last }) => last)
    await burst(30_000)
    stream.send({ $case: 'ack', value: { watches: [{ watchId: 1, through: 0, credit: 60_000 }], repliesSeen: 0 } })
    await stream.next('batch', ({ through }) => through === 30_010)
    assert.equal(
      stream.events(1).map(({ revision }) => revision),
      range(11, 30_010),
    )
    let through = 10
    for (const batch of stream.all('batch')) {
      assert.is(batch.prev, through)
      through = batch.through
    }
  }),
)

for (const [name, onGap] of [
  ['FAIL', OnGap.ON_GAP_FAIL],
  ['SNAPSHOT', OnGap.ON_GAP_SNAPSHOT],
] as const) {
  test(
    `fault 9: a lossless watch that pauses past the log is told of the loss, on_gap ${name}`,
    against(async (server, burst) => {
      await using stream = new RawStream(server.address, { acks: false })
      stream.watch(1, 's', { credit: 20, onGap })
      await stream.next('snapshot', ({ last }) => last)
      await burst(100_000)
      stream.send({ $case: 'ack', value: { watches: [{ watchId: 1, through: 0, credit: 60_000 }], repliesSeen: 0 } })
      if (onGap === OnGap.ON_GAP_FAIL) {
        const { reason, compacted } = await stream.next('canceled')
        assert.ok(reason === Reason.REASON_SLOW_CONSUMER && compacted > 20, `${reason} ${compacted}`)
        return
      }
      await eventually(() => stream.all('created').length === 2 || stream.all('canceled').length === 1)
      const [, again] = stream.all('created')
      if (again === undefined) assert.is(stream.all('canceled')[0]?.reason, Reason.REASON_SLOW_CONSUMER)
      else await stream.next('snapshot', ({ revision, last }) => last && revision >= again.compacted)
    }),
  )
}

test(
  'fault 10: a watch without credit does not hold up the others of its stream, and has progress like them',
  against(async (server, burst) => {
    await using stream = new RawStream(server.address, { acks: false, heartbeat: 500 })
    for (const watchId of range(1, 50))
      stream.watch(watchId, 's', {
        credit: watchId === 25 ? 10 : 60_000,
        selectors: [{ of: { $case: 'name', value: 'v1' } }],
      })
    await eventually(() => stream.all('created').length === 50)
    await burst(1000)
    await eventually(() =>
      range(1, 50).every((id) => stream.events(id).length === 100 || (id === 25 && stream.events(id).length < 100)),
    )
    const progressed = () =>
      new Set(stream.all('progress').flatMap(({ watches }) => watches.map(({ watchId }) => watchId)))
    await eventually(() => assert.is(progressed().size, 50))
    for (const { watches } of stream.all('progress'))
      for (const { watchId, through, head } of watches) {
        const told = stream.events(watchId).at(-1)?.revision ?? 0
        assert.ok(through <= head)
        if (watchId === 25) assert.ok(through <= 1010 && told <= 1010)
      }
  }),
)

test(
  'fault 11: a client that never reads stops the server at its window',
  against(async (server, burst) => {
    await using stream = new RawStream(server.address, { reads: false })
    for (const watchId of range(1, 20)) stream.watch(watchId, 's', { credit: 60_000 })
    await staysFlat(server, burst)
    await using other = new RawStream(server.address)
    other.watch(1, 's')
    await other.next('snapshot', ({ last }) => last)
  }),
)

test.run()
