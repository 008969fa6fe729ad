import { isDown } from '../../src/actors/messages.js'
import { Supervisor } from '../../src/supervisor/supervisor.js'
import { Context } from '../../src/variables/context.js'
import { ObserverManager } from '../../src/variables/observer-manager.js'
import { type Ack, bomb, type Role, type Sight, watcher, writer } from '../fixtures/survivors.js'
import { assert, eventually, suite } from '../harness.js'
import { Recorder, range } from '../support/recorder.js'
import { strike } from '../support/strike.js'
import { withSystem } from '../support/system.js'

const test = suite('the thread of a context dies', { timeout: 150_000 })

const module = new URL('../fixtures/survivors.js', import.meta.url)
const options = { threads: 2 }
/** Milliseconds: far more than anything takes here, as the machine may be busy with other tests. */
const patience = 60_000

for (const how of ['throw in a timer', 'process.exit', 'let a promise float'])
  test(`V7 what was acknowledged is there again, and the next revision follows: ${how}`, () =>
    withSystem(options, async (system) => {
      await using ctx = await Context.start(system, { id: 'room', name: 'parlour' })
      const x = await ctx.define('x', 'integer', 1, { constraints: { min: 0 }, metadata: { why: 'a test' } })
      await ctx.set('x', 2)
      const { pid } = ctx
      await strike(system, how)
      assert.is(ctx.peek('x'), 2)
      assert.equal(await ctx.set('x', 3), { version: 2, revision: 3 })
      assert.is(await ctx.get('x'), 3)
      assert.is.not(String(ctx.pid), String(pid))
      assert.ok(ctx.pid.equals(Context.attach(system, 'parlour').pid))
      assert.is((await ctx.describe('x')).id, x.id)
      await assert.rejects(ctx.set('x', -1), 'CONSTRAINT')
    }))

test('V7 a lease outlives the thread of its context, and tokens count on', () =>
  withSystem(options, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', timeout: patience })
    await ctx.define('x', 'integer', 0)
    const { token } = await ctx.lease('x', 'adam')
    await ctx.set('x', 1, { optimization_id: token })
    await strike(system)
    await assert.rejects(ctx.set('x', 2), 'LOCKED')
    await ctx.set('x', 2, { optimization_id: token })
    assert.ok((await ctx.lease('x', 'adam')).token > token)
    assert.is(await ctx.release('x', { force: true }), true)
    await strike(system)
    assert.is((await ctx.set('x', 3)).version, 3)
  }))

test('V7 a context whose thread has died goes on in the thread that waited for that', () =>
  withSystem(options, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', timeout: patience })
    await ctx.define('x', 'integer', 0)
    for (let value = 1; value < 4; value++) {
      const waiting = () => system.threads().find(({ kind }) => kind === 'spare')?.id
      await eventually(() => assert.type(waiting(), 'number'), { timeout: patience })
      const heir = waiting()
      await strike(system, 'process.exit')
      assert.is((await ctx.set('x', value)).version, value)
      assert.is(ctx.pid.thread, heir)
    }
  }))

test('V7 what is asked while the context is down waits for it, in order', () =>
  withSystem(options, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', timeout: patience })
    await ctx.define('x', 'integer', 0)
    const seen = new Recorder()
    await ctx.watchOne('x', seen.callback)
    const { pid } = ctx
    const down = system.self.monitor(pid)
    await system.self.spawn({ module, export: bomb.name }, 'process.exit', { thread: 'system' }).catch(() => {})
    await system.self.receive((message) => isDown(message) && message.ref.equals(down))
    assert.is(ctx.peek('x'), 0)
    await assert.rejects(Context.start(system, { id: 'room' }), 'ALREADY_EXISTS')
    ctx.put('x', 1)
    const set = ctx.set('x', 2)
    ctx.put('x', 3)
    const late = new Recorder()
    const watch = ctx.watch(['x'], late.callback)
    const last = ctx.set('x', 4)
    assert.equal([(await set).version, (await last).version], [2, 4])
    assert.equal(seen.values, [1, 2, 3, 4])
    await (await watch).stop()
    assert.equal(late.values, [4])
    assert.is((await ctx.listWatchers()).length, 1)
  }))

test('V4 get sees what another handle of its thread has sent, whichever of them is older than the death', () =>
  withSystem(options, async (system) => {
    await using old = await Context.start(system, { id: 'room', timeout: patience })
    await old.define('x', 'integer', 0)
    await strike(system)
    await old.get('x')
    const young = Context.attach(system, 'room', { timeout: patience })
    await young.get('x')
    for (const value of range(1, 100)) {
      const [writer, reader] = value % 2 ? [old, young] : [young, old]
      writer.put('x', value)
      assert.is(await reader.get('x'), value)
    }
  }))

test('V7 a context under a supervisor is started by that, with all that it had', () =>
  withSystem(options, async (system) => {
    const supervisor = await Supervisor.start(system, [{ id: 'c', start: Context.child({ id: 'room' }) }])
    const ctx = Context.attach(system, 'room', { timeout: patience })
    await ctx.define('x', 'integer', 1)
    const seen = new Recorder()
    await ctx.watchOne('x', seen.callback)
    await ctx.set('x', 2)
    await strike(system)
    assert.equal(await ctx.set('x', 3), { version: 2, revision: 3 })
    assert.equal(seen.values, [2, 3])
    system.self.exit(ctx.pid, 'kill')
    await assert.rejects(ctx.set('x', 4), 'NOPROC')
    await eventually(() => system.whereis('beamline.context.room') !== undefined)
    await assert.rejects(Context.attach(system, 'room').get('x'), 'NOT_FOUND')
    await supervisor.stop()
  }))

test('V7 whoever kills the keeper of contexts does them no harm', () =>
  withSystem(options, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', timeout: patience })
    await ctx.define('x', 'integer', 1)
    for (let value = 2; value < 5; value++) {
      const keeper = system.whereis('beamline.contexts')
      if (keeper !== undefined) system.self.exit(keeper, 'kill')
      await strike(system, 'process.exit')
      assert.is((await ctx.set('x', value)).version, value - 1)
    }
  }))

test('W15 what the log no longer tells is made up for', () =>
  withSystem(options, async (system) => {
    await using ctx = await Context.start(system, { id: 'room', log: 4, timeout: patience })
    await ctx.define('x', 'integer', 0)
    await ctx.define('y', 'integer', 0)
    const told: unknown[] = []
    await ctx.watchOne('x', (_name, previous, value, { resync }) => told.push([previous, value, resync]), {
      onResync: ({ lostFrom, lostTo }) => told.push([lostFrom, lostTo]),
    })
    await ctx.set('x', 1)
    for (let i = 0; i < 30; i++) await ctx.set('y', i)
    await strike(system)
    await ctx.set('x', 2)
    assert.equal(told, [
      [0, 1, false],
      [4, 33],
      [undefined, 1, true],
      [1, 2, false],
    ])
  }))

test('W15 200 deaths under load: no acknowledged commit is lost, no change is missed or told twice', () =>
  withSystem(options, async (system) => {
    const { self } = system
    await using ctx = await Context.start(system, { id: 'room', timeout: patience })
    const x = await ctx.define('x', 'integer', 0)
    const role = (number: number): Role => ({ context: 'room', to: self.pid, number })
    const spawn = (name: string, number: number, thread: 0 | 1 | 'isolated') =>
      self.spawn({ module, export: name }, role(number), { thread })
    const own = new Recorder()
    await ctx.watchOne('x', own.callback)
    const places = [0, 1, 'isolated'] as const
    const watchers = await Promise.all(
      range(0, 8).map((number) => spawn(watcher.name, number, number < 8 ? (places[number % 2] as 0 | 1) : 'isolated')),
    )
    const writers = await Promise.all(places.map((place, at) => spawn(writer.name, at + 1, place)))
    writers.push(await self.spawn(writer, role(4)))
    for (const _ of [...watchers, ...writers]) await self.receive((message) => message === 'begun')

    const times: number[] = []
    // On a machine that is busy with other tests, as many of the 200 as there is time for.
    for (const end = performance.now() + 80_000; times.length < 200 && performance.now() < end; ) {
      for (let writes = Math.floor(Math.random() * 20); writes > 0; writes--) await ctx.get('x')
      const { pid } = ctx
      await self.spawn({ module, export: bomb.name }, 'process.exit', { thread: 'system' }).catch(() => {})
      const begun = performance.now()
      while (ctx.pid.equals(pid)) await ctx.get('x')
      times.push(performance.now() - begun)
    }
    times.sort((a, b) => a - b)
    console.log(
      `${times.length} deaths: back in service after ${times[times.length >> 1]?.toFixed(1)} ms (median), ${times.at(-1)?.toFixed(1)} at most`,
    )

    for (const pid of writers) self.send(pid, 'stop')
    const acks: Ack[] = []
    for (const _ of writers) {
      const report = await self.receive(
        (message): message is { acks: Ack[] } => (message as { acks?: unknown }).acks !== undefined,
      )
      acks.push(...report.acks)
    }
    const last = await ctx.set('x', -1)
    await eventually(() => own.revisions.at(-1) === last.revision)
    const committed = new Map(own.changes.map(({ value, meta }) => [meta.revision, value]))
    assert.equal(own.revisions, range(2, last.revision))
    for (const [revision, value] of acks) assert.is(committed.get(revision), value, `revision ${revision} was lost`)
    const expected: Sight[] = own.changes.map(({ previous, value, meta }) => [meta.revision, previous, value])
    for (const [at, [, previous]] of expected.entries()) assert.is(previous, at === 0 ? 0 : expected[at - 1]?.[2])
    for (const pid of watchers) {
      self.send(pid, { until: last.revision })
      const { seen } = await self.receive(
        (message): message is { seen: Sight[] } => (message as { seen?: unknown }).seen !== undefined,
      )
      assert.equal(seen, expected.slice(expected.length - seen.length))
      assert.ok(seen.length > 0)
    }
    assert.is(await ObserverManager.of(self).count(x.id), 10)
    assert.is((await ctx.listWatchers()).length, 10)
    for (const pid of watchers) self.exit(pid, 'kill')
    await eventually(async () => assert.is(await ObserverManager.of(self).count(x.id), 1))
  }))

test.run()
