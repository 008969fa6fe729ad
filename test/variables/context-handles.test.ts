import { Context, type Pid } from '../../src/index.js'
import { VirtualClock } from '../../src/testing/index.js'
import type { VisitArgs } from '../fixtures/handles.js'
import { assert, suite } from '../harness.js'
import { hear, Recorder } from '../support/recorder.js'
import { systemFor, withSystem } from '../support/system.js'

const test = suite('Context: handles')
const system = systemFor(test, { threads: 2 })
const handles = (name: string) => ({ module: new URL('../fixtures/handles.js', import.meta.url), export: name })
const strategies = new URL('../fixtures/strategies/', import.meta.url)

test('start makes up an id, or takes one that is not in use', async () => {
  await using first = await Context.start(system())
  await using second = await Context.start(system())
  assert.is.not(first.id, second.id)
  assert.is(first.backend, 'local')
  assert.ok(system().isAlive(first.pid))
  const third = await Context.start(system(), { id: 'mine' })
  assert.is(third.id, 'mine')
  await assert.rejects(Context.start(system(), { id: 'mine' }), 'ALREADY_EXISTS', /'mine' exists: attach to it/)
  await third.stop()
  await using fourth = await Context.start(system(), { id: 'mine' })
  assert.is.not(String(fourth.pid), String(third.pid))
})

test('a start that fails for its name leaves its id free', async () => {
  await using first = await Context.start(system(), { name: 'taken' })
  assert.ok(first.pid.equals(system().whereis('taken') as Pid))
  await assert.rejects(Context.start(system(), { id: 'free', name: 'taken' }), 'ALREADY_REGISTERED', /taken/)
  await using second = await Context.start(system(), { id: 'free', name: 'other' })
  assert.is(second.id, 'free')
})

test('of several starts with one id at the same time, one succeeds', async () => {
  const starts = await Promise.allSettled([1, 2, 3, 4].map(() => Context.start(system(), { id: 'race' })))
  const won = starts.filter((start) => start.status === 'fulfilled')
  const lost = starts.filter((start) => start.status === 'rejected')
  assert.equal([won.length, lost.map(({ reason }) => reason.code)], [1, new Array(3).fill('ALREADY_EXISTS')])
  await won[0]?.value.stop()
})

test('a context lives on the system thread, on main or on a shared thread, and works the same', async () => {
  for (const thread of ['system', 'main', 0, 1, 'auto'] as const) {
    await using ctx = await Context.start(system(), { thread })
    const x = await ctx.define('x', 'integer', 1)
    const seen = new Recorder()
    await using _ = await x.watch(seen.callback, { includeInitial: true })
    x.put(2)
    await x.set(3)
    assert.equal([seen.values, await x.get(), x.peek()], [[1, 2, 3], 3, 3])
  }
  const kinds = system()
    .threads()
    .map(({ kind }) => kind)
  assert.equal(kinds.filter((kind) => kind === 'system').length, 1)
})

test('a start that makes no sense says what would', async () => {
  const start = (options: object) => Context.start(system(), options)
  await assert.rejects(start({ id: '' }), 'INVALID_TYPE', /give a string that is not empty/)
  await assert.rejects(start({ history: 0 }), 'INVALID_TYPE', /history is 0: give a whole number above 0/)
  await assert.rejects(start({ log: 1.5 }), 'INVALID_TYPE', /log is 1.5: give a whole number above 0/)
  await assert.rejects(start({ thread: 'isolated' }), 'BAD_ENTRY', /give 'system', 'main' or a number/)
  await assert.rejects(
    start({ modules: { Fs: './fs' } }),
    'BAD_ENTRY',
    /give a namespace such as 'Strategies' and the URL of files/,
  )
  await assert.rejects(start({ modules: { 'no-name': strategies } }), 'BAD_ENTRY', /no-name/)
})

test('attach finds a context by id, registered name or pid, from any thread', async () => {
  await using ctx = await Context.start(system(), { name: 'found-by-name' })
  const { self } = system()
  for (const thread of [0, 'isolated', 'main'] as const) {
    for (const context of [ctx.id, 'found-by-name', ctx.pid]) {
      await ctx.define('x', 'integer', 1)
      await self.spawn(handles('visitor'), { context, to: self.pid } satisfies VisitArgs, { thread, monitor: true })
      const { got, peeked, written, again, y, id } = await hear<Record<string, unknown>>(self)
      assert.equal([got, peeked, again, y, id], [1, 1, 10, 'made by the visitor', true])
      assert.is((written as { version: number }).version, 1)
      assert.is(await ctx.get('x'), 10)
      for (const name of ['x', 'y']) await ctx.delete(name)
    }
  }
})

test('attach says when there is no such context', async () => {
  assert.throwsCode(() => Context.attach(system(), 'nowhere'), 'NOT_FOUND', /there is no context 'nowhere': start it/)
  const ctx = await Context.start(system(), { id: 'gone' })
  const handle = Context.attach(system(), ctx.pid)
  await ctx.stop()
  assert.throwsCode(() => Context.attach(system(), 'gone'), 'NOT_FOUND', /gone/)
  await assert.rejects(handle.get('x'), 'NOPROC', /no such process/)
  assert.throwsCode(() => handle.peek('x'), 'NOPROC', /has ended: start another/)
})

test('a handle made from a pid learns the id of its context', async () => {
  await using ctx = await Context.start(system(), { id: 'by-pid', modules: { Strategies: strategies } })
  await ctx.define('strategy', 'module', 'Strategies.Fast')
  const handle = Context.attach(system(), ctx.pid)
  assert.is(handle.id, String(ctx.pid))
  await handle.resolve('strategy')
  assert.is(handle.id, 'by-pid')
})

test('peek from another thread answers at once, from the first call on', async () => {
  await using ctx = await Context.start(system())
  await ctx.define('x', 'string', 'seen at once')
  const { self } = system()
  await self.spawn(handles('peeker'), { context: ctx.id, to: self.pid } satisfies VisitArgs, {
    thread: 1,
    monitor: true,
  })
  assert.is(await hear(self), 'seen at once')
})

test('stop ends the context for everyone and may be repeated; no call waits for ever', async () => {
  const ctx = await Context.start(system())
  await ctx.define('x', 'integer', 0)
  const other = Context.attach(system(), ctx.id)
  const stops = [ctx.stop(), ctx.stop()]
  await stops[1]
  assert.not(system().isAlive(ctx.pid))
  await Promise.all([...stops, ctx.stop(), other.stop()])
  await assert.rejects(other.set('x', 1), 'STOPPED', /has been stopped: start another/)
  await assert.rejects(Context.attach(system(), ctx.pid).set('x', 1), 'NOPROC')
})

test('a stop that took too long may be repeated', async () => {
  const clock = new VirtualClock()
  await withSystem({ threads: 1, clock, stuckAfter: Number.POSITIVE_INFINITY }, async (own) => {
    const ctx = await Context.start(own, { thread: 0 })
    const flag = new SharedArrayBuffer(4)
    await own.self.spawn(handles('blocker'), { to: own.self.pid, flag }, { thread: 0 })
    assert.is(await hear(own.self), 'blocked')
    const stopping = ctx.stop()
    clock.advance(5000)
    await assert.rejects(stopping, 'CALL_TIMEOUT')
    Atomics.store(new Int32Array(flag), 0, 1)
    Atomics.notify(new Int32Array(flag), 0)
    await ctx.stop()
    assert.not(own.isAlive(ctx.pid))
  })
})

test('a context may still be stopped after its system', async () => {
  const ctx = await withSystem({ threads: 1 }, (own) => Context.start(own))
  await ctx.stop()
  await assert.rejects(ctx.get('x'), 'STOPPED')
})

test('V6 resolve imports what a module variable names, from the base of its namespace', async () => {
  const modules = {
    Strategies: strategies,
    'Strategies.Sets': new URL('../fixtures/strategy-set.js', import.meta.url),
  }
  await using ctx = await Context.start(system(), { modules })
  const strategy = await ctx.define('strategy', 'module', 'Strategies.Fast')
  const speed = async (name: string) => {
    await strategy.set(name)
    return ((await ctx.resolve('strategy')) as { speed: string }).speed
  }
  assert.is(await speed('Strategies.Fast'), 'fast')
  assert.is(await speed('Strategies.TwoWords'), 'two words')
  assert.is(await speed('Strategies.deep.Slow'), 'deep')
  assert.is(await speed('Strategies.Sets.Fast'), 'an export')
  await assert.rejects(speed('Strategies.Sets.Slow'), 'NOT_FOUND', /is no export of .*: export Slow there/)
  await assert.rejects(speed('Strategies.Unknown'), 'NOT_FOUND', /is not in .*: add unknown.js there/)
  await assert.rejects(speed('Strategies.Broken'), 'BAD_ENTRY', /broken on purpose/)
  const nowhere = /no base is registered for the module .* \(known: Strategies, Strategies.Sets\)/
  for (const name of ['Other.Fast', 'Fast', 'node:fs', 'Strategies.../../fast', 'Strategies./etc/passwd']) {
    await assert.rejects(speed(name), 'NOT_FOUND', nowhere)
  }
  for (const name of ['constructor.Fast', 'toString.Fast']) await assert.rejects(speed(name), 'NOT_FOUND', nowhere)
})

test('V6 only a module variable is resolved, or one of a type of your own that is based on it', async () => {
  await using ctx = await Context.start(system(), { modules: { Strategies: strategies } })
  await ctx.define('number', 'integer', 1)
  await ctx.define('text', 'string', 'Strategies.Fast')
  await ctx.define('choice', 'choice', 'Strategies.Fast', { constraints: { choices: ['Strategies.Fast'] } })
  for (const [name, type] of Object.entries({ number: 'integer', text: 'string', choice: 'choice' })) {
    const message = new RegExp(`${name} is a ${type}: only a module variable can be resolved: define it with the type`)
    await assert.rejects(ctx.resolve(name), 'INVALID_TYPE', message)
  }
  const own = await Context.defineType({ name: 'strategy', base: 'module' })
  await ctx.define('own', own, 'Strategies.Fast')
  assert.equal((await ctx.resolve('own')) as { speed: string }, await import(new URL('./fast.js', strategies).href))
})

test('a base that no module can be imported from is BAD_ENTRY', async () => {
  for (const base of [
    'https://example.com/strategies/',
    'https://example.com/strategies.js',
    'node:fs/',
    'file://elsewhere/strategies/',
    'file:///a%2Fb/',
    { toString: 1 },
    7,
  ]) {
    const start = Context.start(system(), { modules: { Strategies: base as string } })
    await assert.rejects(
      start,
      'BAD_ENTRY',
      /modules: Strategies → .*: give a namespace such as .* and the URL of files/,
    )
  }
})

test.run()
