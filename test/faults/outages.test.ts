import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { bridgeThread } from './support/bridge-thread.js'
import { HEARTBEAT, Link } from './support/link.js'

const test = suite('faults: outages', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

/** Writes to `names` again and again, from both sides, until told to stop; answers how to. */
function load(link: Link, batches: readonly (readonly string[])[]): () => Promise<number> {
  let over = false
  let writes = 0
  const writer = async (by: Link['here']) => {
    while (!over) {
      await Promise.all(batches.map((names) => link.write(names, by)))
      writes += batches.length
    }
  }
  const running = Promise.all([writer(link.there), writer(link.here)])
  return async () => {
    over = true
    await running
    return writes
  }
}

const several = (link: Link, changes: number) =>
  eventually(() => link.watching.every(({ recorder }) => recorder.changes > changes))

test('fault 2: the bridge is killed, its sessions live on: nothing is lost, nothing twice, no resync', async () => {
  await using link = await Link.open(system(), ['a', 'b'])
  await link.watch(['a', 'b'])
  await link.watch(['b'])
  const stop = load(link, [['a'], ['a', 'b']])
  for (const round of range(1, 3)) {
    await several(link, 100 * round)
    const { accepted } = link.proxy
    const pid = await bridgeThread(system())
    system().self.exit(pid, 'kill')
    await eventually(() => link.proxy.accepted > accepted && link.bridge.state === 'ready')
    assert.not((await bridgeThread(system())).equals(pid))
  }
  await stop()
  await link.judge()
  assert.ok(link.watching.every(({ recorder }) => recorder.take().items.length === 0))
})

test('fault 3: a reset in the middle of a frame: no part of it is delivered, and nothing is lost', async () => {
  await using link = await Link.open(system(), ['a', 'b'])
  await link.watch(['a', 'b'])
  const stop = load(link, [['a'], ['a', 'b']])
  for (const bytes of [1, 5, 9, 17, 333, 1000, 4097, 20_000]) {
    const { accepted } = link.proxy
    link.proxy.cutAfter(bytes, bytes % 3 === 0 ? 'up' : 'down')
    await eventually(() => link.proxy.accepted > accepted)
    link.proxy.heal()
    await eventually(() => link.bridge.state === 'ready')
  }
  await stop()
  await link.judge()
})

test('fault 4: a server that is silent is noticed within three beats, and left for a new connection', async () => {
  await using link = await Link.open(system(), ['a'])
  const recorder = await link.watch(['a'])
  await link.write(['a'])
  assert.equal([link.watching[0]?.watch.state, link.proxy.accepted], ['live', 1])
  link.proxy.blackHole()
  await eventually(() => link.watching[0]?.watch.state !== 'live', { timeout: 5 * HEARTBEAT })
  const missed = link.write(['a'], link.there)
  await eventually(() => link.proxy.accepted > 1)
  link.proxy.heal()
  await eventually(() => link.watching[0]?.watch.state === 'live' && recorder.told['a']?.value === 2, {
    timeout: 10_000,
  })
  await missed
  await link.judge()
})

test('fault 6: what the client says is lost: the server ends the stream, and nothing is told twice', async () => {
  await using link = await Link.open(system(), ['a', 'b'])
  await link.watch(['a', 'b'])
  const stop = load(link, [['a', 'b']])
  await several(link, 100)
  const { accepted } = link.proxy
  link.proxy.blackHole('up')
  await eventually(() => link.proxy.accepted > accepted)
  link.proxy.heal()
  await eventually(() => link.bridge.state === 'ready')
  await stop()
  await link.judge()
})

test('fault 21: an atomic batch of a hundred is never told in part, however often the connection is lost', async () => {
  const names = range(1, 100).map((index) => `v${index}`)
  await using link = await Link.open(system(), names)
  await link.watch(names)
  await link.watch(names.slice(20, 40))
  const stop = load(link, [names])
  for (const bytes of [2000, 4000, 9000, 30_000, 100_000]) {
    const { accepted } = link.proxy
    link.proxy.cutAfter(bytes, 'down')
    await eventually(() => link.proxy.accepted > accepted)
    link.proxy.heal()
    await eventually(() => link.bridge.state === 'ready')
  }
  await stop()
  await link.judge()
})

test('a half-closed connection is left for a new one', async () => {
  await using link = await Link.open(system(), ['a'])
  await link.watch(['a'])
  for (const direction of ['up', 'down'] as const) {
    const { accepted } = link.proxy
    link.proxy.halfClose(direction)
    await eventually(() => link.proxy.accepted > accepted && link.bridge.state === 'ready')
    await link.write(['a'])
  }
  await link.judge()
})

test('bytes that are late are no fault', async () => {
  await using link = await Link.open(system(), ['a'])
  await link.watch(['a'])
  link.proxy.delay(HEARTBEAT)
  const stop = load(link, [['a']])
  await several(link, 30)
  link.proxy.delay(0)
  await stop()
  await link.judge()
  assert.equal(link.proxy.accepted, 1)
})

test.run()
