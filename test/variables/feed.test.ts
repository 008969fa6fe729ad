import { isDown } from '../../src/actors/messages.js'
import { Context, type Pid, type Process } from '../../src/index.js'
import { closeFeed, fedEvents, isFed, openFeed } from '../../src/variables/feed.js'
import type { CommitEvent, Fed, FeedStart } from '../../src/variables/session-state.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'

const test = suite('feeds: copies of a context')
const system = systemFor(test, { threads: 1 })

/** Runs `body` in a process, and fails with it. */
async function inProcess(body: (self: Process) => Promise<void>): Promise<void> {
  const done = await system().self.spawn(async (self) => body(self), undefined, { monitor: true })
  const down = await system().self.receive(isDown)
  assert.ok((down.pid as Pid).equals(done))
  assert.is(down.reason, 'normal')
}

/** The events of a feed up to the first of a revision. */
async function eventsThrough(self: Process, revision: number): Promise<CommitEvent[]> {
  const events: CommitEvent[] = []
  while ((events.at(-1)?.revision ?? 0) < revision) events.push(...fedEvents(await self.receive<Fed>(isFed)))
  return events
}

const shortly = ({ op, name, value, previous, revision, version, more }: CommitEvent) => {
  return [op, name, value, previous, revision, version, more]
}

test('a copy gets the state of now and every commit after it, of whatever kind, in order', () =>
  inProcess(async (self) => {
    await using ctx = await Context.start(self)
    await ctx.define('x', 'integer', 1)
    const { state, missed } = await openFeed(self, ctx.pid)
    assert.is(state.revision, 1)
    assert.equal(
      state.variables.map(({ name, value, version, number }) => [name, value, version, number]),
      [['x', 1, 0, 0]],
    )
    assert.equal(missed?.map(shortly), [['define', 'x', 1, undefined, 1, 0, false]])
    await ctx.set('x', 2)
    await ctx.define('y', 'json', { a: 1 }, { metadata: { unit: 'm' } })
    await ctx.updateMany({ x: 3, y: [1] }, { source: 'batch' })
    ctx.put('x', 4, { source: 'put' })
    await ctx.rollback('x', 0)
    await ctx.delete('y')
    const events = await eventsThrough(self, 7)
    assert.equal(events.map(shortly), [
      ['set', 'x', 2, 1, 2, 1, false],
      ['define', 'y', { a: 1 }, undefined, 3, 0, false],
      ['set', 'x', 3, 2, 4, 2, true],
      ['set', 'y', [1], { a: 1 }, 4, 1, false],
      ['set', 'x', 4, 3, 5, 3, false],
      ['set', 'x', 1, 4, 6, 4, false],
      ['delete', 'y', undefined, [1], 7, 1, false],
    ])
    assert.equal(
      events.map(({ said }) => said),
      [
        undefined,
        { source: 'local', unit: 'm' },
        { source: 'batch' },
        { source: 'batch' },
        { source: 'put' },
        { source: 'local', rollbackTo: 0 },
        undefined,
      ],
    )
    assert.is(events[1]?.info?.number, 1)
  }))

test('a commit comes before the answer to whoever made it', () =>
  inProcess(async (self) => {
    await using ctx = await Context.start(self)
    await ctx.define('x', 'integer', 0)
    await openFeed(self, ctx.pid)
    for (let value = 1; value <= 200; value++) {
      await ctx.set('x', value)
      const [event] = fedEvents(await self.receive<Fed>(isFed, { timeout: 0 }))
      assert.is(event?.value, value)
    }
  }))

test('a copy that has seen a part gets the rest, or the state when the rest is not kept', () =>
  inProcess(async (self) => {
    await using ctx = await Context.start(self, { log: 10 })
    await ctx.define('x', 'integer', 0)
    const { state } = await openFeed(self, ctx.pid)
    closeFeed(self, ctx.pid)
    for (let value = 1; value <= 5; value++) await ctx.set('x', value)
    const seen = { incarnation: state.incarnation, revision: 3 }
    const missed = async (from: FeedStart['state'] | typeof seen) => (await openFeed(self, ctx.pid, from)).missed
    assert.equal(
      (await missed(seen))?.map(({ revision }) => revision),
      [4, 5, 6],
    )
    assert.is(await missed({ ...seen, incarnation: '00' }), undefined)
    assert.is(await missed({ ...seen, revision: 7 }), undefined)
    for (let value = 6; value <= 40; value++) await ctx.set('x', value)
    assert.is(await missed(seen), undefined)
  }))

test('a context begins with the state that it is given, its past with it, and goes on from there', () =>
  inProcess(async (self) => {
    await using first = await Context.start(self)
    await first.define('x', 'integer', 0, { constraints: { max: 9 }, description: 'a number' })
    await first.set('x', 5, { source: 'me' })
    const { state } = await openFeed(self, first.pid)
    const histories = { x: await first.history('x') }
    const given = { ...state, histories }
    await using second = await Context.start(self, { id: 'second' }, { key: 'second@here', state: given })
    assert.is(second.id, 'second')
    const [here, there] = [await second.describe('x'), await first.describe('x')]
    assert.equal({ ...here, id: there.id }, there)
    // Each is observed by its id.
    assert.is.not(here.id, there.id)
    assert.equal(await second.history('x'), await first.history('x'))
    assert.is(second.peek('x'), 5)
    assert.equal(await second.set('x', 6), { version: 2, revision: 3 })
    await assert.rejects(second.set('x', 10), 'CONSTRAINT')
    assert.is((await openFeed(self, second.pid)).state.incarnation, state.incarnation)
    // Its name is free for others; by its id it is found all the same.
    assert.is(await Context.attach(self, 'second').get('x'), 6)
  }))

test.run()
