import { status } from '@grpc/grpc-js'
import { Context } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { compatFor } from '../support/compat.js'
import { type Plain, typed } from '../support/plain-client.js'
import { same } from '../support/same.js'

const test = suite('compatible service: values', { timeout: 30_000 })
const withSession = compatFor(test)

const { INVALID_ARGUMENT, NOT_FOUND } = status
const constraints = (value: object) => ({ constraints_json: JSON.stringify(value) })

test(
  'integers beyond 2^53 come back exactly',
  withSession(async ({ session, server }) => {
    const digits = '-123456789012345678901234567890'
    const value = { type_url: 'type.googleapis.com/snakepit.integer', value: Buffer.from(digits) }
    await session.call('RegisterVariable', { name: 'x', type: 'integer', initial_value: value })
    assert.is((await session.variable('x'))['value'].value.toString(), digits)
    assert.is(await (await server.sessions.get(session.id)).get('x'), BigInt(digits))
  }),
)

test(
  'bytes in a form of their own come back as they were, until a plain value takes their place',
  withSession(async ({ session }) => {
    const header = '{"shape": [1500],  "dtype": "float32", "binary_format": "pickle", "type": "embedding"}'
    const value = { type_url: 'type.googleapis.com/snakepit.embedding.binary', value: Buffer.from(header) }
    const bytes = Buffer.from([0x80, 4, 1, 0, 255])
    await session.call('RegisterVariable', {
      name: 'e',
      type: 'embedding',
      initial_value: value,
      initial_binary_value: bytes,
    })
    const shown = await session.variable('e')
    assert.equal([shown['type'], shown['value'], shown['binary_value']], ['embedding', value, bytes])
    const others = Buffer.from([9, 9])
    await session.call('SetVariable', { variable_identifier: 'e', value, binary_value: others })
    assert.equal((await session.variable('e'))['binary_value'], others)
    assert.equal((await session.call('ListVariables', {}))['variables'][0].value, value)
    await session.set('e', 'embedding', [1])
    const plain = await session.variable('e')
    assert.equal([plain['value'].type_url, plain['binary_value'].length], ['type.googleapis.com/snakepit.embedding', 0])
    const missing = await session.refused('SetVariable', { variable_identifier: 'e', value })
    assert.equal([missing.code, missing.text], [INVALID_ARGUMENT, 'the bytes of the embedding are missing'])
    await session.register('t', 'tensor', { shape: [1], data: [1] })
    const other = await session.refused('SetVariable', { variable_identifier: 't', value, binary_value: bytes })
    assert.is(other.code, INVALID_ARGUMENT)
  }),
)

test(
  'raw bytes are numbers, held against the constraints',
  withSession(async ({ session }) => {
    const raw = (shape: number[]) => ({
      type_url: 'type.googleapis.com/snakepit.embedding.binary',
      value: Buffer.from(JSON.stringify({ shape, dtype: 'float32', binary_format: 'raw' })),
    })
    const bytes = Buffer.from(new Float32Array([0.5, 1.5]).buffer)
    await session.register('e', 'embedding', [1, 2], constraints({ dimensions: 2 }))
    await session.call('SetVariable', { variable_identifier: 'e', value: raw([2]), binary_value: bytes })
    same(await session.value('e'), [0.5, 1.5])
    const refused = await session.refused('SetVariable', {
      variable_identifier: 'e',
      value: raw([1]),
      binary_value: bytes.subarray(4),
    })
    assert.is(refused.text, 'must have exactly 2 dimensions')
  }),
)

test(
  'what the host keeps as json, and as a type of its own, is shown under types that clients know',
  withSession(async ({ session, server }) => {
    const context = await server.sessions.get(session.id)
    const percent = Context.defineType({ name: 'percent', base: 'float', constraints: { min: 0, max: 100 } })
    for (const [name, value] of Object.entries({ map: { a: 1 }, list: [1], text: 'x', number: 5, nothing: null }))
      await context.define(name, 'json', value)
    await context.define('share', percent, 50)
    await context.define('big', 'integer', (2n ** 60n) as never)
    const { variables } = await session.call('ListVariables', {})
    const shown = Object.fromEntries(
      variables.map(({ name, type, value }: Plain) => [name, [type, value.value.toString()]]),
    )
    assert.equal(shown, {
      map: ['map', '{"a":1}'],
      list: ['list', '[1]'],
      text: ['string', '"x"'],
      number: ['string', '"5"'],
      nothing: ['string', '"null"'],
      share: ['float', '50.0'],
      big: ['integer', '1152921504606846976'],
    })
    assert.match((await session.refusedSet('share', 'float', 101)).text, /above maximum/)
  }),
)

for (const [type, value, given, text] of [
  ['float', 1.5, { max: 1 }, 'value 1.5 is above maximum 1'],
  ['integer', -1, { min: 0 }, 'value -1 is below minimum 0'],
  ['string', 'hi', { min_length: 3 }, 'must be at least 3 characters, got 2'],
  ['string', '🎈🎈🎈', { max_length: 2 }, 'must be at most 2 characters, got 3'],
  ['string', 'HELLO', { pattern: '^[A-Z][a-z]+$' }, 'must match pattern: ^[A-Z][a-z]+$'],
  ['string', 'yellow', { enum: ['red', 'green', 'blue'] }, 'must be one of: red, green, blue'],
  ['choice', 'd', { choices: ['a', 'b'] }, 'must be one of: a, b'],
  ['module', 'Other', { allowed_modules: ['A', 'B'] }, 'must be one of the allowed modules: A, B'],
  ['embedding', [1, 2, 3], { dimensions: 4 }, 'must have exactly 4 dimensions'],
  ['tensor', { shape: [1], data: [1] }, { shape: [2, 2] }, 'shape must be [2, 2]'],
  ['tensor', { shape: [2, 2], data: [1, 2, 3] }, {}, "data size doesn't match shape"],
  ['integer', 'text', {}, 'must be an integer'],
  ['integer', 1.5, {}, 'must be a whole number, got 1.5'],
  ['float', true, {}, 'must be a number'],
  ['string', null, {}, 'cannot be nil'],
  ['choice', null, {}, 'must be a string'],
  ['module', null, {}, 'must be a module name'],
  ['boolean', 'yes', {}, 'must be a boolean (true or false)'],
] as const)
  test(
    `${type} ${JSON.stringify(value)} with ${JSON.stringify(given)} is refused at birth`,
    withSession(async ({ session }) => {
      const request = { name: 'x', type, initial_value: typed(type, value), ...constraints(given) }
      const refused = await session.refused('RegisterVariable', request)
      assert.equal([refused.code, refused.text], [INVALID_ARGUMENT, text])
      assert.is((await session.refused('GetVariable', { variable_identifier: 'x' })).code, NOT_FOUND)
    }),
  )

test.run()
