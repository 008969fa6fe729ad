import { status } from '@grpc/grpc-js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { untyped } from '../support/plain-client.js'

const test = suite('compatible service: optimization and history', { timeout: 30_000 })
const withSession = compatFor(test)

const x = { variable_identifier: 'x' }
const { FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, OUT_OF_RANGE } = status

test(
  'an optimizer has a variable for itself, and is shown with the time, until it ends',
  withSession(async ({ session }) => {
    const id = await session.register('x', 'integer', 0)
    const started = await session.call('StartOptimization', { variable_identifier: id, optimizer_id: 'adam' })
    assert.equal([started['success'], started['error_message']], [true, ''])
    const { optimizing, optimizer_id, started_at } = (await session.variable('x'))['optimization_status']
    assert.equal([optimizing, optimizer_id], [true, 'adam'])
    assert.ok(Math.abs(started_at.seconds * 1000 - Date.now()) < 60_000)
    for (const refused of [
      await session.refusedSet('x', 'integer', 1),
      await session.refusedSet(id, 'integer', 1, { metadata: { optimization_id: '0' } }),
      await session.refused('DeleteVariable', x),
      await session.refused('RollbackVariable', x),
      await session.refused('StartOptimization', { ...x, optimizer_id: 'eve' }),
    ])
      assert.equal(refused, { code: FAILED_PRECONDITION, text: 'variable_locked_for_optimization', own: 'LOCKED' })
    const metadata = { optimization_id: started['optimization_id'] }
    await session.set('x', 'integer', 5, { metadata })
    const { success, final_value } = await session.call('StopOptimization', x)
    assert.equal([success, untyped(final_value)], [true, 5])
    assert.equal((await session.variable('x'))['optimization_status'], {
      optimizing: false,
      optimizer_id: '',
      started_at: null,
    })
    await session.set('x', 'integer', 6)
  }),
)

test(
  'one who was thought dead writes no more once the optimization was begun again',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 0)
    const start = async () =>
      (await session.call('StartOptimization', { ...x, optimizer_id: 'adam' }))['optimization_id']
    const older = await start()
    const newer = await start()
    assert.ok(Number(newer) > Number(older))
    const refused = await session.refusedSet('x', 'integer', 1, { metadata: { optimization_id: older } })
    assert.is(refused.code, FAILED_PRECONDITION)
    await session.set('x', 'integer', 2, { metadata: { optimization_id: newer } })
    const header = (id: string) => ({ 'x-optimization-id': id })
    await assert.rejects(session.call('StopOptimization', x, header(older)), /variable_locked_for_optimization/)
    await session.call('StopOptimization', { ...x, force: true }, header(older))
    assert.is((await session.call('StopOptimization', x))['success'], false)
    assert.is((await session.call('StopOptimization', { ...x, force: true }))['success'], true)
  }),
)

test(
  'an optimizer has a name, and the variable is there',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 0)
    assert.is((await session.refused('StartOptimization', x)).code, INVALID_ARGUMENT)
    for (const rpc of ['StartOptimization', 'StopOptimization']) {
      const { code, text } = await session.refused(rpc, { variable_identifier: 'y', optimizer_id: 'adam' })
      assert.equal([code, text], [NOT_FOUND, 'Variable not found: y'])
    }
  }),
)

test(
  'the history has each value, who wrote it and when, oldest first',
  withSession(async ({ session }) => {
    const id = await session.register('x', 'float', 0)
    await session.set('x', 'float', 1, { metadata: { source: 'python', step: '1' } })
    await session.set('x', 'float', 2)
    const { entries } = await session.call('GetVariableHistory', { variable_identifier: id })
    assert.equal(
      entries.map(({ version, value, changed_by }: { version: number; value: object; changed_by: string }) => [
        version,
        untyped(value),
        changed_by,
      ]),
      [
        [0, 0, 'elixir'],
        [1, 1, 'python'],
        [2, 2, 'elixir'],
      ],
    )
    assert.is(entries[1].metadata.step, '1')
    assert.is(entries[1].value.type_url, 'type.googleapis.com/snakepit.float')
    const last = await session.call('GetVariableHistory', { ...x, limit: 2 })
    assert.equal(
      last['entries'].map(({ version }: { version: number }) => version),
      [1, 2],
    )
    assert.is((await session.refused('GetVariableHistory', { ...x, limit: -1 })).code, INVALID_ARGUMENT)
    assert.is((await session.refused('GetVariableHistory', { variable_identifier: 'y' })).text, 'Variable not found: y')
  }),
)

test(
  'a rollback writes an earlier value again, as a new version',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 10)
    await session.set('x', 'integer', 20)
    const { success, variable } = await session.call('RollbackVariable', { ...x, target_version: 0 })
    assert.equal([success, untyped(variable.value), variable.version], [true, 10, 2])
    assert.is(await session.value('x'), 10)
    const never = await session.refused('RollbackVariable', { ...x, target_version: 9 })
    assert.is(never.code, NOT_FOUND)
    assert.is((await session.refused('RollbackVariable', { variable_identifier: 'y' })).text, 'Variable not found: y')
  }),
)

test(
  'a version that is no longer kept is OUT_OF_RANGE',
  withSession(async ({ session, server }) => {
    await session.register('x', 'integer', 0)
    const context = await server.sessions.get(session.id)
    const kept = async () => (await context.history('x')).length
    for (let at = 1; (await kept()) === at; at++) await context.set('x', at)
    const refused = await session.refused('RollbackVariable', x)
    assert.equal([refused.code, refused.own], [OUT_OF_RANGE, 'COMPACTED'])
  }),
)

test.run()
