import { status } from '@grpc/grpc-js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { typed, untyped } from '../support/plain-client.js'
import { same } from '../support/same.js'

const test = suite('compatible service: variables', { timeout: 30_000 })
const withSession = compatFor(test)

const { INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, ABORTED } = status
const timeOf = ({ seconds, nanos }: { seconds: number; nanos: number }) => seconds * 1000 + nanos / 1e6

test(
  'a registered variable has what it was given, version 0, and is the same by id and by name',
  withSession(async ({ session }) => {
    const before = Date.now()
    const id = await session.register('temp', 'float', 42, {
      constraints_json: '{"min": 0, "max": 100, "unit": "K"}',
      metadata: { description: 'how warm', user: 'ada' },
    })
    assert.match(id, /^var_temp_/)
    const variable = await session.variable('temp')
    assert.equal(await session.variable(id), variable)
    const { value, last_updated_at, constraints_json, metadata, ...rest } = variable
    assert.equal([value.type_url, value.value.toString()], ['type.googleapis.com/snakepit.float', '42.0'])
    assert.equal(JSON.parse(constraints_json), { min: 0, max: 100, unit: 'K' })
    assert.equal(metadata, { source: 'elixir', created_by: 'session_store', description: 'how warm', user: 'ada' })
    assert.ok(timeOf(last_updated_at) >= before && timeOf(last_updated_at) <= Date.now())
    assert.equal(rest, {
      id,
      name: 'temp',
      type: 'float',
      source: 'ELIXIR',
      version: 0,
      access_control_json: '',
      optimization_status: { optimizing: false, optimizer_id: '', started_at: null },
      binary_value: Buffer.alloc(0),
    })
    assert.is(
      (await session.call('GetVariable', { variable_identifier: 'temp', bypass_cache: true }))['from_cache'],
      false,
    )
  }),
)

test(
  'the caller says who it is under its own words',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 1, { metadata: { source: 'python', created_by: 'me' } })
    const { metadata, source } = await session.variable('x')
    assert.equal([metadata, source], [{ source: 'python', created_by: 'me' }, 'PYTHON'])
    await session.set('x', 'integer', 2)
    assert.is((await session.variable('x'))['source'], 'ELIXIR')
    await session.set('x', 'integer', 3, { metadata: { source: 'PYTHON' } })
    assert.is((await session.variable('x'))['source'], 'PYTHON')
  }),
)

const constraints = (value: object) => ({ constraints_json: JSON.stringify(value) })

test(
  'every type registers, reads and writes over the wire',
  withSession(async ({ session }) => {
    const all: [string, unknown, object, unknown][] = [
      ['integer', 42, { min: 0, max: 100 }, 50],
      ['float', 3.14, { min: 0, max: 10 }, 2.71],
      ['string', 'hello', { pattern: '^[a-z]+$' }, 'world'],
      ['boolean', true, {}, false],
      ['choice', 'a', { choices: ['a', 'b', 'c'] }, 'b'],
      ['module', 'Predict', { choices: ['Predict', 'React'] }, 'React'],
      ['embedding', [1, 2, 3, 4], { dimensions: 4 }, [0.1, 0.2, 0.3, 0.4]],
      ['tensor', { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] }, {}, { shape: [1], data: [0] }],
      ['map', { a: [1, 'b'] }, {}, { b: null }],
      ['list', [1, { a: 2 }], {}, []],
    ]
    for (const [type, initial, given, next] of all) {
      const id = await session.register(`v_${type}`, type, initial, constraints(given))
      same(await session.value(id), initial)
      const { success, new_version } = await session.set(id, type, next)
      assert.equal([success, new_version], [true, 1])
      same(await session.value(`v_${type}`), next)
      const { value, type: shown, version } = await session.variable(id)
      assert.equal([value.type_url, shown, version], [`type.googleapis.com/snakepit.${type}`, type, 1])
    }
    const { variables } = await session.call('ListVariables', { pattern: '*' })
    assert.equal(
      variables.map(({ name }: { name: string }) => name),
      all.map(([type]) => `v_${type}`),
    )
  }),
)

test(
  'a refused set leaves value, version and metadata as they were',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 5, constraints({ min: 0, max: 10 }))
    await session.register('c', 'choice', 'a', constraints({ choices: ['a', 'b', 'c'] }))
    const before = [await session.variable('x'), await session.variable('c')]
    const refusals = [
      await session.refusedSet('x', 'integer', 11, { metadata: { why: 'no' } }),
      await session.refusedSet('x', 'string', 'not a number'),
      await session.refusedSet('x', 'uuid', 5),
      await session.refusedSet('c', 'choice', 'd'),
      await session.refused('SetVariable', { variable_identifier: 'x' }),
      await session.refused('SetVariable', {
        variable_identifier: 'x',
        value: { type_url: 'type.googleapis.com/snakepit.integer', value: Buffer.from('{') },
      }),
    ]
    assert.ok(refusals.every(({ code }) => code === INVALID_ARGUMENT))
    assert.equal(
      refusals.map(({ text }) => text),
      [
        'value 11 is above maximum 10',
        'must be an integer',
        'unknown_type',
        'must be one of: a, b, c',
        'the value is missing',
        'the value is no JSON',
      ],
    )
    assert.equal([await session.variable('x'), await session.variable('c')], before)
  }),
)

test(
  'unknown types, constraints that are none, names that are taken or none, and missing values are refused',
  withSession(async ({ session }) => {
    const register = (more: object) =>
      session.refused('RegisterVariable', { name: 'x', type: 'integer', initial_value: typed('integer', 1), ...more })
    const unknown = await register({ type: 'uuid' })
    assert.equal([unknown.code, unknown.text], [INVALID_ARGUMENT, 'Unknown type: uuid'])
    for (const constraints_json of ['{', '[1]', '5', '{"min": "a"}', '{"min": 3, "max": 2}']) {
      const refused = await register({ constraints_json })
      assert.is(refused.code, INVALID_ARGUMENT)
      assert.match(refused.text, /^Invalid constraints/)
    }
    assert.is((await register({ initial_value: null })).text, 'the value is missing')
    assert.is((await register({ name: '' })).code, INVALID_ARGUMENT)
    await session.register('x', 'integer', 1)
    assert.is((await register({})).code, ALREADY_EXISTS)
    assert.is(await session.value('x'), 1)
  }),
)

test(
  'empty lists leave all free, null is no constraint, and a pattern that is no expression stands for itself',
  withSession(async ({ session }) => {
    await session.register('c', 'choice', 'anything', constraints({ choices: [] }))
    await session.register('m', 'module', 'Any', constraints({ allowed_modules: [], choices: null }))
    await session.register('s', 'string', 'a (b', constraints({ pattern: '(b' }))
    assert.match((await session.refusedSet('s', 'string', 'b')).text, /^must match pattern: /)
    await session.register('n', 'float', 1, { constraints_json: '' })
    assert.ok(['', '{}'].includes((await session.variable('n'))['constraints_json']))
  }),
)

test(
  'module choices may be given with or without their namespace',
  withSession(async ({ session }) => {
    await session.register(
      'm',
      'module',
      'Predict',
      constraints({ namespace: 'DSPy', choices: ['Predict', 'DSPy.React'] }),
    )
    await session.set('m', 'module', 'DSPy.React')
    await session.set('m', 'module', 'React')
    assert.match((await session.refusedSet('m', 'module', 'Other')).text, /^must be one of: /)
  }),
)

test(
  'versions count every accepted set, also of an equal value; words of a set are merged, with who and when',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 1, { metadata: { unit: 'm', reason: 'first' } })
    const times: number[] = []
    for (let version = 1; version <= 3; version++) {
      const { new_version } = await session.set('x', 'integer', 7, {
        metadata: version === 2 ? { reason: 'second', user: 'ada' } : {},
      })
      const variable = await session.variable('x')
      assert.equal([new_version, variable['version']], [version, version])
      times.push(timeOf(variable['last_updated_at']))
    }
    assert.equal(times, [...times].sort())
    const { metadata } = await session.variable('x')
    const { updated_at, ...rest } = metadata
    assert.equal(rest, { source: 'elixir', created_by: 'session_store', unit: 'm', reason: 'second', user: 'ada' })
    assert.match(updated_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/)
  }),
)

test(
  'expected_version is a condition, unless it is 0',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 1)
    await session.set('x', 'integer', 2, { expected_version: 0 })
    await session.set('x', 'integer', 3, { expected_version: 1 })
    const refused = await session.refusedSet('x', 'integer', 4, { expected_version: 1 })
    assert.equal([refused.code, refused.own], [ABORTED, 'VERSION_CONFLICT'])
    assert.is(await session.value('x'), 3)
  }),
)

test(
  'a list is of all in the order of their births, or of what an anchored pattern of stars matches',
  withSession(async ({ session }) => {
    for (const name of ['temp_b', 'my_temp_x', 'temp_a', 'a[b', 'x.y']) await session.register(name, 'integer', 1)
    const list = async (pattern: string) =>
      (await session.call('ListVariables', { pattern }))['variables'].map(({ name }: { name: string }) => name)
    const all = ['temp_b', 'my_temp_x', 'temp_a', 'a[b', 'x.y']
    assert.equal([await list(''), await list('*')], [all, all])
    assert.equal(await list('temp_*'), ['temp_b', 'temp_a'])
    assert.equal(await list('temp'), [])
    assert.equal(await list('*temp*'), ['temp_b', 'my_temp_x', 'temp_a'])
    assert.equal([await list('a[*'), await list('x?y'), await list('x.y')], [['a[b'], [], ['x.y']])
  }),
)

test(
  'deleting frees the name; what comes then is another variable',
  withSession(async ({ session }) => {
    const first = await session.register('x', 'integer', 1, { ...constraints({ max: 5 }), metadata: { old: 'yes' } })
    await session.set('x', 'integer', 2)
    assert.equal(await session.call('DeleteVariable', { variable_identifier: first }), {
      success: true,
      error_message: '',
    })
    for (const variable_identifier of ['x', first, 'never'])
      for (const rpc of ['DeleteVariable', 'GetVariable']) {
        const refused = await session.refused(rpc, { variable_identifier })
        assert.equal([refused.code, refused.text], [NOT_FOUND, `Variable not found: ${variable_identifier}`])
      }
    const second = await session.register('x', 'integer', 10)
    assert.is.not(second, first)
    const { version, metadata } = await session.variable('x')
    assert.equal([version, metadata['old']], [0, undefined])
    assert.is((await session.refused('GetVariable', { variable_identifier: first })).code, NOT_FOUND)
    assert.is((await session.refusedSet(first, 'integer', 1)).code, NOT_FOUND)
    assert.is(await session.value('x'), 10)
  }),
)

test(
  'an id is looked up before a name',
  withSession(async ({ session }) => {
    const id = await session.register('x', 'integer', 1)
    await session.register(id, 'integer', 2)
    assert.is(await session.value(id), 1)
    await session.call('DeleteVariable', { variable_identifier: id })
    assert.is(await session.value(id), 2)
  }),
)

test(
  'of ten sets at a time one is the last',
  withSession(async ({ session }) => {
    await session.register('x', 'integer', 0)
    const versions = await Promise.all(Array.from({ length: 10 }, (_, at) => session.set('x', 'integer', at)))
    assert.equal(
      versions.map(({ new_version }) => new_version).sort((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    )
    const value = untyped((await session.variable('x'))['value']) as number
    assert.ok(value >= 0 && value < 10)
  }),
)

test(
  'a thousand variables register, are listed and set',
  withSession(async ({ session }) => {
    const names = Array.from({ length: 1000 }, (_, at) => `v${at}`)
    await Promise.all(names.map((name) => session.register(name, 'integer', 0)))
    assert.is((await session.call('ListVariables', {}))['variables'].length, 1000)
    await Promise.all(names.map((name) => session.set(name, 'integer', 1)))
    const { variables } = await session.call('ListVariables', {})
    assert.ok(variables.every(({ version }: { version: number }) => version === 1))
  }),
)

test.run()
