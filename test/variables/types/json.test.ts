import { MAX_NESTING } from '../../../src/variables/nesting.js'
import { assert, suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('json')

test('everything that JSON can say is read', () => {
  for (const value of [null, true, 0, -1.5, '', 'text', [], {}, [1, [null, { a: [] }]], { a: { b: 'c' } }]) {
    reads(validatorOf('json'), value)
  }
})

test('it is a deep copy, of literals of any realm', () => {
  const written = { a: [{ b: 1 }] }
  const stored = validatorOf('json').parse('x', written)
  written.a.push({ b: 2 })
  ;(written.a[0] as { b: number }).b = 3
  assert.equal(stored, { a: [{ b: 1 }] })
  reads(validatorOf('json'), Object.assign(Object.create(null) as object, { a: 1 }), { a: 1 })
})

test('a part that stands twice is no cycle', () => {
  const part = { a: 1 }
  reads(validatorOf('json'), [part, part, { part }])
})

test('undefined properties are left out', () => reads(validatorOf('json'), { a: undefined, b: 1 }, { b: 1 }))

test('everything else is refused with its place', () => {
  const cycle: Record<string, unknown> = {}
  cycle['list'] = [{ cycle }]
  const cases: [unknown, string][] = [
    [undefined, 'undefined'],
    [() => 1, 'a function'],
    [5n, 'a bigint'],
    [NaN, 'NaN'],
    [new Date(), 'an instance of Date'],
    [{ a: [1, { run: () => 1 }] }, 'a function at a[1].run'],
    [{ a: { b: Infinity } }, 'Infinity at a.b'],
    [[undefined], 'undefined at [0]'],
    [new Array(1), 'undefined at [0]'],
    [{ at: Symbol('s') }, 'a symbol at at'],
    [{ map: new Map() }, 'an instance of Map at map'],
    [cycle, 'a cycle at list[0].cycle'],
    [JSON.parse('{"a":{"__proto__":{"admin":true}}}'), "an object with the key '__proto__' at a"],
  ]
  for (const [value, what] of cases)
    refuses(validatorOf('json'), value, 'INVALID_TYPE', `must be a JSON value, got ${what}`)
})

test('very deep values are refused instead of exhausting the stack', () => {
  let deep: unknown = 1
  for (let level = 0; level < MAX_NESTING; level++) deep = [deep]
  reads(validatorOf('json'), deep)
  for (let level = 0; level < 100_000; level++) deep = [deep]
  refuses(validatorOf('json'), deep, 'INVALID_TYPE', `must not be nested deeper than ${MAX_NESTING} levels`)
})

test('a JSON Schema is checked, with the place of the failure', () => {
  const validator = validatorOf('json', {
    schema: {
      type: 'object',
      properties: {
        users: { type: 'array', items: { type: 'object', properties: { age: { type: 'integer', minimum: 0 } } } },
      },
      required: ['users'],
    },
  })
  reads(validator, { users: [{ age: 3, more: true }], other: 1 })
  const words = 'must fit the schema: users[0].age: Too small: expected number to be >=0'
  refuses(validator, { users: [{ age: -1 }] }, 'CONSTRAINT', words)
  refuses(validator, 5, 'CONSTRAINT', 'must fit the schema: Invalid input: expected object, received number')
  refuses(validator, { users: () => [] }, 'INVALID_TYPE', 'must be a JSON value, got a function at users')
})

test('a schema only checks: its defaults are not filled in', () => {
  const schema = { type: 'object', properties: { a: { type: 'integer', default: 4 } } }
  reads(validatorOf('json', { schema }), {})
})

test('a schema that is none, or cannot be checked, is refused', () => {
  forbids('json', { schema: 'object' }, 'schema must be an object')
  forbids(
    'json',
    { schema: { type: 'foo' } },
    'schema must be a JSON Schema that can be checked here: Unsupported type: foo',
  )
  forbids('json', { schema: { $ref: '#/$defs/none' } }, 'Reference not found')
  forbids('json', { schema: { if: {} } }, 'Conditional schemas')
})

test.run()
