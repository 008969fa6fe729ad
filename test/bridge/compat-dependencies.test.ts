import { status } from '@grpc/grpc-js'
import { assert, eventually, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import type { PlainSession } from '../support/plain-client.js'

const test = suite('compatible service: dependencies', { timeout: 30_000 })
const withSession = compatFor(test)

const add = (session: PlainSession, from: string, to: string, type: string) =>
  session.call('AddDependency', { from_variable: from, to_variable: to, dependency_type: type })

const good = { success: true, error_message: '' }

/** Waits until a derived variable is this. */
const becomes = (session: PlainSession, name: string, value: unknown) =>
  eventually(async () => assert.equal(await session.value(name), value))

async function define(session: PlainSession, values: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await session.register(name, 'float', value)
}

for (const [type, first, second] of [
  ['sum', 6, 9],
  ['product', 8, 20],
  ['min', 2, 4],
  ['max', 4, 5],
  ['mean', 3, 4.5],
] as const)
  test(
    `${type} is computed at once, and again when one of its sources changes, whoever writes`,
    withSession(async ({ session, server }) => {
      await define(session, { a: 2, b: 4, y: 0 })
      assert.equal(await add(session, 'a', 'y', type), good)
      assert.equal(await add(session, 'b', 'y', type), good)
      await becomes(session, 'y', first)
      await (await server.sessions.get(session.id)).set('a', 5)
      await becomes(session, 'y', second)
      assert.is((await session.variable('y'))['metadata'].source, 'derived')
    }),
  )

test(
  'copies go on along a chain, by ids or names, and of any type',
  withSession(async ({ session }) => {
    const ids: string[] = []
    for (const name of ['a', 'b', 'c']) ids.push(await session.register(name, 'string', name))
    const [a = '', b = ''] = ids
    assert.equal(await add(session, a, 'b', 'copy'), good)
    assert.equal(await add(session, b, 'c', 'copy'), good)
    await becomes(session, 'c', 'a')
    for (const value of ['one', 'two', 'three']) await session.set('a', 'string', value)
    await becomes(session, 'c', 'three')
    const second = await add(session, 'c', 'b', 'copy')
    assert.is(second['success'], false)
    await session.register('d', 'string', 'd')
    assert.match((await add(session, 'd', 'b', 'copy'))['error_message'], /^b is a copy already/)
  }),
)

test(
  'cycles are refused and named, of those too that are only recorded',
  withSession(async ({ session }) => {
    await define(session, { a: 1, b: 2, c: 3 })
    assert.equal(await add(session, 'a', 'b', 'informs'), good)
    assert.equal(await add(session, 'b', 'c', 'sum'), good)
    const closing = await add(session, 'c', 'a', 'sum')
    assert.equal(
      [closing['success'], closing['error_message']],
      [false, 'cycle: a -> b -> c -> a: no variable can depend on itself'],
    )
    const self = await add(session, 'a', 'a', 'copy')
    assert.equal([self['success'], self['error_message']], [false, 'cycle: a -> a: no variable can depend on itself'])
    assert.equal([await session.value('a'), await session.value('b')], [1, 2])
    assert.equal(await add(session, 'a', 'c', 'informs'), good)
  }),
)

test(
  'what cannot be computed, or is no value of the variable, is refused',
  withSession(async ({ session }) => {
    await session.register('text', 'string', 'x')
    await session.register('small', 'float', 0, { constraints_json: '{"max": 10}' })
    await define(session, { big: 100 })
    assert.equal(await add(session, 'text', 'big', 'sum'), { success: false, error_message: 'text is no number' })
    assert.equal(await add(session, 'big', 'small', 'copy'), {
      success: false,
      error_message: 'value 100 is above maximum 10',
    })
    assert.equal(await add(session, 'small', 'big', 'sum'), good)
    assert.match((await add(session, 'small', 'big', 'mean'))['error_message'], /computed by sum already/)
    const request = { from_variable: 'big', to_variable: 'nobody', dependency_type: 'sum' }
    const { code, text } = await session.refused('AddDependency', request)
    assert.equal([code, text], [status.NOT_FOUND, 'Variable not found: nobody'])
  }),
)

test(
  'what a host registered computes, with the values by their names',
  withSession(async ({ session, server }) => {
    server.tools.add({ name: 'ratio', exposed: false, run: ({ a, b }) => Number(a) / Number(b ?? 1) })
    await define(session, { a: 8, b: 2, y: 0 })
    assert.equal(await add(session, 'a', 'y', 'ratio'), good)
    assert.equal(await add(session, 'b', 'y', 'ratio'), good)
    await becomes(session, 'y', 4)
    await session.set('b', 'float', 4)
    await becomes(session, 'y', 2)
    server.tools.remove('ratio')
  }),
)

test(
  'a value that is refused later is told as a warning, and the next is another chance',
  withSession(async ({ session }) => {
    await session.register('y', 'float', 0, { constraints_json: '{"max": 10}' })
    await define(session, { a: 1 })
    await add(session, 'a', 'y', 'copy')
    await session.set('a', 'float', 11)
    await session.set('a', 'float', 7)
    await becomes(session, 'y', 7)
  }),
)

test(
  'a source that is deleted counts no more, and one of the name of a deleted result is let alone',
  withSession(async ({ session }) => {
    await define(session, { a: 1, b: 2, y: 0 })
    for (const name of ['a', 'b']) await add(session, name, 'y', 'sum')
    await becomes(session, 'y', 3)
    await session.call('DeleteVariable', { variable_identifier: 'a' })
    await becomes(session, 'y', 2)
    await session.call('DeleteVariable', { variable_identifier: 'y' })
    await define(session, { y: 50, z: 0 })
    await add(session, 'b', 'z', 'copy')
    await session.set('b', 'float', 5)
    await becomes(session, 'z', 5)
    assert.is(await session.value('y'), 50)
  }),
)

test(
  'integers beyond 2^53 are counted exactly',
  withSession(async ({ session, server }) => {
    const context = await server.sessions.get(session.id)
    await context.define('a', 'integer', (2n ** 60n) as never)
    await context.define('b', 'integer', 1)
    await context.define('y', 'integer', 0)
    for (const name of ['a', 'b']) await add(session, name, 'y', 'sum')
    await eventually(async () => assert.is(await context.get('y'), 2n ** 60n + 1n))
  }),
)

test.run()
