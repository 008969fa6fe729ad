import { type Context, ObserverManager, type Watch } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { gate, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { Link } from './support/link.js'

const test = suite('faults: callbacks behind a bridge', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

test('fault 12: a thread that is ended in the middle of a callback takes its watches with it, and no others', async () => {
  await using link = await Link.open(system(), ['a'])
  await link.watch(['a'])
  const before = (await link.here.listWatchers()).length
  const module = new URL('./fixtures/watching-process.js', import.meta.url)
  const pid = await system().spawn(
    { module, export: 'watching' },
    { context: link.here.pid, boss: system().self.pid },
    { thread: 'isolated' },
  )
  await system().self.receive((message): message is 'watching' => message === 'watching')
  await link.write(['a'])
  await system().self.receive((message): message is 'called' => message === 'called')
  assert.is((await link.here.listWatchers()).length, before + 1)
  system().self.exit(pid, 'kill')
  await eventually(async () => assert.is((await link.here.listWatchers()).length, before))
  for (const _ of range(1, 20)) await link.write(['a'])
  await link.judge()
})

test('fault 13: what a callback throws is told once, and the next changes come', async () => {
  await using link = await Link.open(system(), ['a'])
  await link.watch(['a'])
  const seen: unknown[] = []
  const thrown: unknown[] = []
  await using _ = await link.here.watch(
    ['a'],
    async (_name, _previous, value) => {
      seen.push(value)
      if (value === 2) throw new Error('at once')
      await Promise.resolve()
      if (value === 3) throw new Error('later')
    },
    { onError: (error) => thrown.push((error as Error).message) },
  )
  for (const _ of range(1, 5)) await link.write(['a'])
  await eventually(() => seen.length === 5)
  assert.equal([seen, thrown], [range(1, 5), ['at once', 'later']])
  await link.judge()
})

test('fault 15: a callback sets, watches and unwatches', async () => {
  await using link = await Link.open(system(), ['a', 'b'])
  const seen: unknown[] = []
  let inner: Promise<Watch> | undefined
  const watch = await link.here.watch(['a'], async (_name, _previous, value) => {
    seen.push(value)
    inner ??= link.here.watch(['b'], (_n, _p, b) => seen.push(`b${String(b)}`))
    await inner
    await link.here.set('b', value as number)
    if (value === 3) await watch.stop()
  })
  for (const value of range(1, 5)) await link.here.set('a', value)
  await eventually(() => seen.length >= 6)
  assert.equal(
    seen.filter((one) => typeof one === 'number'),
    [1, 2, 3],
  )
  assert.equal(
    seen.filter((one) => typeof one === 'string'),
    ['b1', 'b2', 'b3'],
  )
  await (await inner)?.stop()
})

test('fault 16: watches that begin and end while writes go on leave nothing behind', async () => {
  await using link = await Link.open(system(), ['a'])
  const before = (await link.here.listWatchers()).length
  const total = await ObserverManager.of(system()).total()
  let late = 0
  for (const round of range(1, 20)) {
    const watches = await Promise.all(
      range(1, 25).map(() => {
        let over = false
        return link.here
          .watch(['a'], () => {
            if (over) late += 1
          })
          .then((watch) => ({ watch, end: () => (over = true) }))
      }),
    )
    link.here.put('a', round)
    await Promise.all(
      watches.map(async ({ watch, end }) => {
        await watch.stop()
        end()
      }),
    )
  }
  assert.equal([late, (await link.here.listWatchers()).length], [0, before])
  await eventually(async () => (await ObserverManager.of(system()).total()) === total)
})

test('fault 17: a watch that begins while others write is told what is, then each change after it', async () => {
  await using link = await Link.open(system(), ['a'])
  let over = false
  const writer = async (by: Context) => {
    while (!over) await link.write(['a'], by)
  }
  const writing = Promise.all([writer(link.here), writer(link.there)])
  for (const _ of range(1, 100)) await link.watch(['a'])
  over = true
  await writing
  await link.judge()
})

test('when an awaited set resolves, the watches of its thread have been called', async () => {
  await using link = await Link.open(system(), ['a'])
  const recorder = await link.watch(['a'])
  for (const _ of range(1, 200)) {
    const through = await link.write(['a'])
    if (through !== undefined) recorder.add({ kind: 'progress', through })
  }
  await link.judge()
})

test('a watch and a write, neither awaited: the initial value, then the write', async () => {
  await using link = await Link.open(system(), ['a'])
  for (const round of range(1, 100)) {
    const seen: unknown[] = []
    const { opened, open } = gate()
    const begun = link.here.watch(
      ['a'],
      (_name, _previous, value) => {
        if (seen.push(value) === 2) open()
      },
      { includeInitial: true },
    )
    const wrote = link.here.set('a', round)
    const [watch] = await Promise.all([begun, wrote, opened])
    assert.equal(seen, [round - 1, round])
    await watch.stop()
  }
})

test.run()
