import { status } from '@grpc/grpc-js'
import { assert, suite } from '../harness.js'
import { answer, Peer } from '../support/bridges.js'
import { compatFor } from '../support/compat.js'
import { type PlainSession, typed, untyped } from '../support/plain-client.js'
import { same } from '../support/same.js'

const test = suite('compatible service: batches', { timeout: 30_000 })
const withSession = compatFor(test)

const limited = { constraints_json: '{"max": 10}' }

async function abc(session: PlainSession): Promise<string[]> {
  const ids: string[] = []
  for (const name of ['a', 'b', 'c']) ids.push(await session.register(name, 'integer', 0, limited))
  return ids
}

const updates = (values: Record<string, unknown>, type = 'integer') =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typed(type, value)]))

const valuesOf = async (session: PlainSession) => Promise.all(['a', 'b', 'c'].map((name) => session.value(name)))

test(
  'reading several finds each under what was asked, and names the missing in order',
  withSession(async ({ session }) => {
    const [a = ''] = await abc(session)
    const asked = ['y', a, 'b', 'x', 'c']
    const { variables, missing_variables } = await session.call('GetVariables', {
      variable_identifiers: asked,
      include_metadata: true,
    })
    assert.equal(Object.keys(variables).sort(), [a, 'b', 'c'].sort())
    assert.equal(missing_variables, ['y', 'x'])
    assert.equal([variables[a].name, untyped(variables['b'].value)], ['a', 0])
    assert.equal(await session.call('GetVariables', {}), { variables: {}, missing_variables: [] })
  }),
)

for (const atomic of [false, true])
  test(
    `a good batch changes all, by id or name, with the same words: atomic ${atomic}`,
    withSession(async ({ session }) => {
      const [, b = ''] = await abc(session)
      const request = { updates: updates({ a: 1, [b]: 2 }), metadata: { source: 'python', why: 'test' }, atomic }
      const { success, errors, new_versions } = await session.call('SetVariables', request)
      assert.equal([success, errors, new_versions], [true, {}, { a: 1, [b]: 1 }])
      assert.equal(await valuesOf(session), [1, 2, 0])
      for (const name of ['a', 'b']) {
        const { metadata, source } = await session.variable(name)
        assert.equal([metadata.why, metadata.source, source], ['test', 'python', 'PYTHON'])
      }
    }),
  )

test(
  'of a batch that is not atomic the good are set and the bad told, and it has succeeded',
  withSession(async ({ session }) => {
    const [, , c = ''] = await abc(session)
    const answer = await session.call('SetVariables', { updates: updates({ a: 1, b: 2, [c]: 11 }) })
    assert.equal(answer, {
      success: true,
      errors: { [c]: 'value 11 is above maximum 10' },
      new_versions: { a: 1, b: 1 },
    })
    assert.equal(await valuesOf(session), [1, 2, 0])
  }),
)

test(
  'of an atomic batch one bad value leaves all as it was',
  withSession(async ({ session }) => {
    await abc(session)
    const answer = await session.call('SetVariables', { updates: updates({ a: 1, c: 11, b: 12 }), atomic: true })
    assert.equal(answer, {
      success: false,
      errors: { c: 'value 11 is above maximum 10', b: 'value 12 is above maximum 10' },
      new_versions: {},
    })
    assert.equal(await valuesOf(session), [0, 0, 0])
    assert.is((await session.variable('a'))['version'], 0)
  }),
)

test(
  'an atomic batch is one revision, and one that is not is one for each',
  withSession(async ({ session, server }) => {
    await abc(session)
    const context = await server.sessions.get(session.id)
    const revisions = async () => (await context.list()).map(({ revision }) => revision)
    await session.call('SetVariables', { updates: updates({ a: 1, b: 1, c: 1 }), atomic: true })
    assert.is(new Set(await revisions()).size, 1)
    await session.call('SetVariables', { updates: updates({ a: 2, b: 2, c: 2 }) })
    assert.is(new Set(await revisions()).size, 3)
  }),
)

for (const atomic of [false, true])
  test(
    `an unknown name, a value of another type and bytes of nothing fail the whole call: atomic ${atomic}`,
    withSession(async ({ session }) => {
      await abc(session)
      const refused = async (more: object) => {
        const { code, text } = await session.refused('SetVariables', { atomic, ...more })
        return [code, text]
      }
      const { INVALID_ARGUMENT } = status
      assert.equal(await refused({ updates: updates({ a: 1, x: 1 }) }), [INVALID_ARGUMENT, 'Variable not found: x'])
      const mixed = { ...updates({ a: 1 }), ...updates({ b: 'text' }, 'string') }
      assert.equal(await refused({ updates: mixed }), [INVALID_ARGUMENT, 'must be an integer'])
      const [code] = await refused({ updates: updates({ a: 1 }), binary_updates: { b: Buffer.from([1]) } })
      assert.is(code, INVALID_ARGUMENT)
      assert.equal(await valuesOf(session), [0, 0, 0])
    }),
  )

test(
  'no updates are a success',
  withSession(async ({ session }) => {
    for (const atomic of [false, true])
      assert.equal(await session.call('SetVariables', { atomic }), { success: true, errors: {}, new_versions: {} })
  }),
)

test(
  'bytes of a batch stand under the same key',
  withSession(async ({ session }) => {
    const id = await session.register('e', 'embedding', [1])
    const value = {
      type_url: 'type.googleapis.com/snakepit.embedding.binary',
      value: Buffer.from('{"binary_format": "pickle"}'),
    }
    await session.call('SetVariables', {
      updates: { [id]: value },
      binary_updates: { [id]: Buffer.from([1, 2]) },
      atomic: true,
    })
    const { value: shown, binary_value } = await session.variable('e')
    same([shown, binary_value], [value, Buffer.from([1, 2])])
  }),
)

test(
  'a leased variable refuses the whole batch, unless it has the token',
  withSession(async ({ session }) => {
    await abc(session)
    const { optimization_id } = await session.call('StartOptimization', {
      variable_identifier: 'a',
      optimizer_id: 'adam',
    })
    for (const atomic of [false, true]) {
      const { code, text } = await session.refused('SetVariables', { updates: updates({ a: 1, b: 1 }), atomic })
      assert.equal([code, text], [status.FAILED_PRECONDITION, 'variable_locked_for_optimization'])
    }
    assert.equal(await valuesOf(session), [0, 0, 0])
    const wrong = { updates: updates({ a: 1, b: 1 }), metadata: { optimization_id: '0' }, atomic: true }
    assert.is((await session.refused('SetVariables', wrong)).code, status.FAILED_PRECONDITION)
    const loose = await session.call('SetVariables', { ...wrong, atomic: false })
    assert.equal(loose['errors'], { a: 'variable_locked_for_optimization' })
    const right = { updates: updates({ a: 2, b: 2 }), metadata: { optimization_id }, atomic: true }
    assert.is((await session.call('SetVariables', right))['success'], true)
    assert.equal(await valuesOf(session), [2, 2, 0])
  }),
)

test(
  'a batch with a name that objects lose is refused, and not answered with a success that did nothing',
  withSession(async ({ session, server }) => {
    await abc(session)
    using peer = new Peer(server.address)
    const updates = Object.fromEntries(
      ['a', '__proto__'].map((name) => [
        name,
        { typeUrl: 'type.googleapis.com/snakepit.integer', value: Buffer.from('1') },
      ]),
    )
    const request = { sessionId: session.id, updates, metadata: {}, atomic: false, binaryUpdates: {} }
    const { code, details } = await answer((done) => peer.bridge.setVariables(request, done))
    assert.equal([code, details], [status.INVALID_ARGUMENT, 'Variable not found: __proto__'])
    assert.is(await session.value('a'), 0)
    assert.is((await session.refused('RegisterVariable', { name: '__proto__', type: 'integer' })).own, 'INVALID_TYPE')
  }),
)

test(
  'a name that is asked for again and again is answered once, and an answer that would be too long is refused',
  withSession(async ({ session }) => {
    await session.register('long', 'string', 'x'.repeat(500_000))
    await session.register('short', 'string', 'y')
    const variable_identifiers = ['none', ...Array(600).fill('long'), 'short', 'no', 'none']
    const { variables, missing_variables } = await session.call('GetVariables', { variable_identifiers })
    assert.equal(
      [Object.keys(variables).sort(), missing_variables],
      [
        ['long', 'short'],
        ['none', 'no'],
      ],
    )
    const names = Array.from({ length: 9 }, (_, index) => `long${index}`)
    for (const name of names) await session.register(name, 'string', 'x'.repeat(500_000))
    const { code, text, own } = await session.refused('GetVariables', { variable_identifiers: names })
    assert.equal([code, own], [status.RESOURCE_EXHAUSTED, 'EXHAUSTED'])
    assert.match(text, /ask for fewer variables at once/)
  }),
)

test.run()
