import fc from 'fast-check'
import * as wire from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import {
  fromEntry,
  fromEvent,
  fromFailure,
  fromState,
  fromValue,
  fromVariable,
  toEntry,
  toEvent,
  toFailure,
  toState,
  toValue,
  toVariable,
} from '../../src/bridge/wire/native-codec.js'
import { BeamlineError } from '../../src/index.js'
import type { CommitEvent, NumberedInfo } from '../../src/variables/session-state.js'
import type { TypeName } from '../../src/variables/types/value-types.js'
import { assert, suite } from '../harness.js'
import { same } from '../support/same.js'

const test = suite('bridge: native codec')

/** There and back, over the bytes. */
function trip(value: unknown, base?: TypeName): unknown {
  return fromValue(wire.Value.decode(wire.Value.encode(toValue(value)).finish()), base)
}

const kindOf = (value: unknown) => toValue(value).kind?.$case

const double = fc.double()
const json = fc.jsonValue().filter((value) => JSON.stringify(value) !== undefined)

test('scalars of every type come back as they were', () => {
  for (const value of [
    0,
    -0,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    2 ** 53,
    '',
    'Hello, 世界 🎈',
    'half \ud83c',
    true,
    false,
    null,
  ])
    same(trip(value), value, String(value))
  for (const value of [2n ** 53n, -(2n ** 70n), 5n]) assert.equal(trip(value), value)
  assert.equal(trip(undefined), undefined)
  fc.assert(
    fc.property(fc.oneof(double, fc.string({ unit: 'binary' }), fc.bigInt()), (value) => same(trip(value), value)),
  )
})

test('embeddings travel as doubles, and typed arrays as what they hold', () => {
  fc.assert(fc.property(fc.array(double), (list) => same(trip(list), list)))
  assert.equal(kindOf([1, 2]), 'raw')
  same(trip(new Float32Array([0.5, NaN])), [0.5, NaN])
  same(trip([1n, 2n ** 60n, 2 ** 60, 1e300]), [1, 2n ** 60n, 2 ** 60, 1e300], 'beside bigints, as JSON')
})

test('tensors keep their shape, the nesting of their data and what stands beside', () => {
  const nested = {
    shape: [2, 3],
    data: [
      [1, 2, NaN],
      [4, Infinity, -0],
    ],
    dtype: 'float32',
  }
  const tensors = [
    nested,
    { shape: [2, 2], data: [1, 2, 3, 4] },
    { shape: [], data: [7] },
    { shape: [0, 3], data: [] },
    { shape: [2, 0], data: [[], []] },
    {
      shape: [4],
      data: [
        [1, 2],
        [3, 4],
      ],
    },
    { shape: [1, 2], data: [[NaN], -Infinity] },
    { data: [1], shape: [1] },
  ]
  for (const tensor of tensors) {
    same(trip(tensor, 'tensor'), tensor)
    assert.equal(Object.keys(trip(tensor, 'tensor') as object), Object.keys(tensor))
  }
  assert.equal(kindOf(nested), 'raw')
})

test('whatever JSON can say comes back', () => {
  fc.assert(fc.property(json, (value) => same(trip(value, 'json'), value)))
  same(trip({ shape: ['NaN'], data: ['NaN'] }), { shape: ['NaN'], data: ['NaN'] })
  same(trip({ shape: [1], data: ['NaN'] }, 'json'), { shape: [1], data: ['NaN'] })
})

test('what no variable can hold is refused', () => {
  for (const value of [new Date(0), new Map(), () => 1, Symbol('s'), { at: NaN }, [[undefined]], { f: Symbol('x') }])
    assert.throws(
      () => toValue(value),
      (error: BeamlineError) => error.code === 'INVALID_TYPE',
    )
  const loop: unknown[] = []
  loop.push(loop)
  assert.throws(() => toValue({ loop }), /a cycle/)
  let deep: unknown = 1
  for (let at = 0; at < 100_000; at++) deep = [deep]
  assert.throws(() => toValue(deep), /nested deeper/)
})

test('a foreign value keeps its bytes and the spelling of its header', () => {
  const bytes = new Uint8Array([0, 255, 128])
  const plain = { header: { shape: [3], binary_format: 'pickle' }, bytes }
  same(trip(plain), plain)
  const spelled = { ...plain, spelled: '{"shape": [3],  "binary_format": "pickle"}' }
  same(trip(spelled), spelled)
})

test('malformed values are refused, whatever they say of themselves', () => {
  const raw = (part: Partial<wire.Raw>): wire.Value => ({
    kind: { $case: 'raw', value: { shape: [1], data: Buffer.alloc(8), nested: false, restJson: '', ...part } },
  })
  const bad: wire.Value[] = [
    raw({ data: Buffer.alloc(7) }),
    raw({ shape: [2] }),
    raw({ shape: [2 ** 31, 2 ** 31] }),
    raw({ shape: new Array(100_000).fill(1) }),
    raw({ shape: [2, 0], data: Buffer.alloc(0), nested: true, restJson: '{}' }),
    raw({ restJson: '[]' }),
    raw({ restJson: 'x' }),
    { kind: { $case: 'integer', value: '0x10' } },
    { kind: { $case: 'json', value: '{' } },
    { kind: { $case: 'foreign', value: { headerJson: '1', data: Buffer.alloc(0) } } },
  ]
  for (const value of bad)
    assert.throws(
      () => fromValue(value),
      (error: BeamlineError) => error.code === 'INVALID_TYPE',
      JSON.stringify(value).slice(0, 99),
    )
})

const info: NumberedInfo = {
  number: 3,
  id: 'var_x_1',
  name: 'x',
  type: 'percent',
  base: 'float',
  value: 0.5,
  version: 7,
  revision: 2 ** 40,
  constraints: { min: 0, max: Infinity, big: 2n ** 64n, pattern: /a+/i, other: [null] },
  description: 'of x',
  metadata: { source: 'local', deep: { list: [1, 'two'] } },
  createdAt: 1_700_000_000_000.25,
  updatedAt: 1_700_000_000_001,
}

test('a variable comes back with everything that is known of it', () => {
  const trip = (one: NumberedInfo) => fromVariable(wire.Variable.decode(wire.Variable.encode(toVariable(one)).finish()))
  same(trip(info), info)
  const { description: _, ...rest } = info
  const bare = { ...rest, description: undefined, metadata: {}, constraints: {} }
  same(trip(bare), bare)
  assert.equal(trip({ ...bare, description: '' }).description, '')
})

test('metadata that JSON cannot say is said as well as it can be', () => {
  const loop: Record<string, unknown> = { when: new Date(0), map: new Map([[1, 'one']]), set: new Set([1]), f: () => 1 }
  loop['self'] = loop
  const { metadata } = fromVariable(toVariable({ ...info, metadata: loop }))
  same(metadata, { when: '1970-01-01T00:00:00.000Z', map: { 1: 'one' }, set: [1], f: null, self: null })
})

test('entries and states come back', () => {
  const entry = { version: 1, value: [1, NaN], revision: 9, timestamp: 5.5, metadata: { source: 'me' } }
  same(fromEntry(wire.Entry.decode(wire.Entry.encode(toEntry(entry)).finish())), entry)
  const state = {
    incarnation: 'a1',
    revision: 12,
    variables: [info, { ...info, number: 4, name: '__proto__' }],
    histories: {
      x: [
        { ...entry, value: 1 },
        { ...entry, value: 2 },
      ],
    },
  }
  same(fromState(wire.State.decode(wire.State.encode(toState(state)).finish())), state)
  const bare = { incarnation: '', revision: 0, variables: [] }
  same(fromState(toState(bare)), bare)
})

test('an event comes back, with what its receiver knows of the variable', () => {
  const facts = { number: 3, id: 'var_x_1', name: 'x', revision: 8, version: 2, timestamp: 1.5, more: true }
  const events: CommitEvent[] = [
    { op: 'set', ...facts, value: 2n ** 60n, previous: 0.5, said: { source: 'python' } },
    { op: 'set', ...facts, value: 1, previous: 0.5, said: undefined },
    { op: 'delete', ...facts, value: undefined, previous: 0.5, said: undefined },
    { op: 'define', ...facts, value: 0.5, previous: undefined, said: {}, info },
  ]
  for (const event of events) {
    const bytes = wire.Event.encode(toEvent(event, 4)).finish()
    assert.equal(wire.Event.decode(bytes).conflated, 4)
    same(fromEvent(wire.Event.decode(bytes), event.op === 'define' ? undefined : info), event)
  }
  assert.throws(() => fromEvent(toEvent(events[0] as CommitEvent), undefined), /of which nothing is known/)
})

test('an error keeps its code, words and details; one that is not ours says nothing of itself', () => {
  const error = new BeamlineError('CONSTRAINT', 'x: above', { details: { max: Infinity, list: [1], big: 2n ** 60n } })
  const back = fromFailure(wire.Failure.decode(wire.Failure.encode(toFailure(error)).finish()))
  assert.instance(back, BeamlineError)
  assert.equal([back.code, back.message], ['CONSTRAINT', 'x: above'])
  same(back.details, { max: Infinity, list: [1], big: 2n ** 60n })
  const secret = toFailure(new Error('of the secret'))
  assert.not.match(JSON.stringify(secret), /secret/)
  assert.equal(fromFailure(secret).code, 'CORRUPT')
})

test.run()
