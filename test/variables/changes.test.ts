import { Context, ObserverManager } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { range } from '../support/recorder.js'
import { withSystem } from '../support/system.js'

const test = suite('ctx.changes')
const withContext = contextsFor(test)

const counter = (ctx: Context) => ctx.define('x', 'integer', 0)

test(
  'for await sees every change in order; leaving the loop ends the watch',
  withContext(async (ctx, system) => {
    const x = await counter(ctx)
    const observers = ObserverManager.of(system)
    const changes = x.changes()
    for (const value of range(1, 5)) await x.set(value, { source: 'writer' })
    assert.is(await observers.count(x.id), 1)
    const seen: unknown[] = []
    for await (const { name, previous, value, meta } of changes) {
      seen.push([name, previous, value, meta.source])
      if (value === 4) break
    }
    assert.equal(
      seen,
      range(1, 4).map((value) => ['x', value - 1, value, 'writer']),
    )
    assert.equal([await observers.count(x.id), await ctx.listWatchers()], [0, []])
    assert.equal(await changes.next(), { done: true, value: undefined })
  }),
)

test(
  'a loop that throws or returns ends the watch too',
  withContext(async (ctx) => {
    await counter(ctx)
    const first = async (leave: () => number) => {
      for await (const _ of ctx.changes(['x'], { includeInitial: true })) return leave()
      return undefined
    }
    assert.is(await first(() => 7), 7)
    const failed = first(() => {
      throw new Error('in the loop')
    })
    assert.is(await failed.catch((error: Error) => error.message), 'in the loop')
    assert.equal(await ctx.listWatchers(), [])
  }),
)

test(
  'the watch begins with the call: what is written right after it is seen, after the initial value',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await using changes = ctx.changes(['x'], { includeInitial: true })
    for (const value of [1, 2]) x.put(value)
    const seen = [await changes.next(), await changes.next(), await changes.next()]
    assert.equal(
      seen.map(({ value }) => [value?.value, value?.meta.initial]),
      [
        [0, true],
        [1, false],
        [2, false],
      ],
    )
  }),
)

test(
  'changes may be asked for before they come, several at a time; they are answered in order',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await using changes = x.changes()
    const asked = range(1, 4).map(() => changes.next())
    for (const value of range(1, 4)) x.put(value)
    assert.equal(
      (await Promise.all(asked)).map(({ value }) => value?.value),
      [1, 2, 3, 4],
    )
  }),
)

test(
  'what still waits for a change when the watch is left is told that it is over',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const changes = x.changes()
    const asked = [changes.next(), changes.next()]
    await changes.return()
    assert.equal(await Promise.all(asked), new Array(2).fill({ done: true, value: undefined }))
    await x.set(1)
    assert.equal(await changes.next(), { done: true, value: undefined })
  }),
)

test(
  'an unknown variable rejects the first that asks, then it is over',
  withContext(async (ctx) => {
    const changes = ctx.changes(['nothing'])
    await assert.rejects(changes.next(), 'NOT_FOUND', /Variable not found: nothing: define it first/)
    assert.equal(await changes.next(), { done: true, value: undefined })
    const later = ctx.changes(['nothing'])
    await ctx.list()
    await assert.rejects(later.next(), 'NOT_FOUND')
    await later.return()
  }),
)

test(
  'options that make no sense reject the first that asks',
  withContext(async (ctx) => {
    await counter(ctx)
    await assert.rejects(ctx.changes([]).next(), 'INVALID_TYPE', /give a list of one or more names/)
    await assert.rejects(ctx.changes(['x'], { buffer: -1 }).next(), 'INVALID_TYPE', /give a whole number above 0/)
  }),
)

test(
  'W9 a loop that is too slow for its buffer gets what was offered, then OVERFLOW',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const changes = x.changes({ buffer: 2 })
    for (const value of range(1, 4)) await x.set(value)
    assert.is((await changes.next()).value?.value, 1)
    await assert.rejects(changes.next(), 'OVERFLOW', /2 changes wait/)
    assert.equal(await changes.next(), { done: true, value: undefined })
    assert.equal(await ctx.listWatchers(), [])
  }),
)

test(
  'a loop that keeps within its buffer loses nothing',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await using changes = x.changes({ buffer: 2 })
    const seen: unknown[] = []
    for (const value of range(1, 30)) {
      await x.set(value)
      if (value >= 3) seen.push((await changes.next()).value?.value)
    }
    for (let rest = 0; rest < 2; rest++) seen.push((await changes.next()).value?.value)
    assert.equal(seen, range(1, 30))
  }),
)

test(
  "W6 with 'latest' a slow loop sees the change it was offered, then only the last one",
  withContext(async (ctx) => {
    const x = await counter(ctx)
    await using changes = x.changes({ delivery: 'latest' })
    for (const value of range(1, 50)) await x.set(value)
    const seen = [await changes.next(), await changes.next()]
    assert.equal(
      seen.map(({ value }) => [value?.previous, value?.value]),
      [
        [0, 1],
        [1, 50],
      ],
    )
  }),
)

test(
  'W9 when the context ends, the loop gets all that was committed, then UNAVAILABLE',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const changes = x.changes()
    for (const value of range(1, 3)) await x.set(value)
    await ctx.stop()
    const seen: unknown[] = []
    const loop = async () => {
      for await (const { value } of changes) seen.push(value)
    }
    await assert.rejects(loop(), 'UNAVAILABLE', /the watch ended, as its context did: normal/)
    assert.equal(seen, [1, 2, 3])
    assert.equal(await changes.next(), { done: true, value: undefined })
  }),
)

test('W9 K15 a loop that waits when the system is stopped is rejected with STOPPED', async () => {
  let waiting: Promise<unknown> | undefined
  await withSystem({ threads: 1 }, async (system) => {
    const ctx = await Context.start(system)
    const x = await counter(ctx)
    const changes = x.changes()
    waiting = changes.next().catch((error: unknown) => error)
    await x.get()
  })
  assert.is(((await waiting) as { code: string }).code, 'STOPPED')
})

test(
  'an aborted signal ends the loop: with its reason when it had aborted before, else without an error',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const reason = new Error('before')
    const refused = await x
      .changes({ signal: AbortSignal.abort(reason) })
      .next()
      .catch((error: unknown) => error)
    assert.is(refused, reason)
    const controller = new AbortController()
    const changes = x.changes({ signal: controller.signal, includeInitial: true })
    assert.is((await changes.next()).value?.value, 0)
    const waiting = changes.next()
    controller.abort()
    assert.equal(await waiting, { done: true, value: undefined })
  }),
)

test(
  "a filter's error goes to onError and the loop goes on",
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const errors: unknown[] = []
    const filter = (_previous: unknown, value: number) => {
      if (value === 1) throw new Error('in the filter')
      return true
    }
    await using changes = x.changes({ filter, onError: (error) => errors.push((error as Error).message) })
    for (const value of [1, 2]) await x.set(value)
    assert.is((await changes.next()).value?.value, 2)
    assert.equal(errors, ['in the filter'])
  }),
)

test(
  'the iterator is done after it has told that the last of its variables was deleted',
  withContext(async (ctx) => {
    const x = await counter(ctx)
    const changes = x.changes()
    await x.set(1)
    await ctx.delete('x')
    const seen: unknown[] = []
    for await (const { value, meta } of changes) seen.push([value, meta.deleted])
    assert.equal(seen, [
      [1, undefined],
      [undefined, true],
    ])
    const again = await counter(ctx)
    const waiting = again.changes()
    const [next, last] = [waiting.next(), waiting.next()]
    await ctx.delete('x')
    assert.equal([(await next).value?.meta.deleted, (await last).done], [true, true])
  }),
)

test.run()
