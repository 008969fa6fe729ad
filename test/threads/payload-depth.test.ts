import { pack } from '../../src/threads/payload.js'
import { Pid } from '../../src/threads/pid.js'
import { MAX_DEPTH } from '../../src/threads/tree-copier.js'
import { assert, suite } from '../harness.js'
import { eachWay } from './ways.js'

const test = suite('depth of a payload')
const each = eachWay(test)

const pid = new Pid('node', 3, 4, 5)

/** Every kind of object that nests: how one more is put around `inner`, how it is taken off, and its part's place. */
const kinds: [name: string, wrap: (inner: unknown) => object, open: (outer: never) => unknown, place: string][] = [
  ['arrays', (inner) => [inner], (outer: [unknown]) => outer[0], '[0]'],
  ['literals', (in_) => ({ in: in_, n: 1 }), (outer: { in: unknown }) => outer.in, 'in.in'],
  ['literals that look tagged', (inner) => ({ '\u0000beamline': inner }), (outer) => outer['\u0000beamline'], ''],
  ['values of maps', (inner) => new Map([['in', inner]]), (outer: Map<unknown, unknown>) => outer.get('in'), 'in.in'],
  ['keys of maps', (inner) => new Map([[inner, 1]]), (outer: Map<unknown, unknown>) => [...outer.keys()][0], '(key)'],
  ['sets', (inner) => new Set([inner]), (outer: Set<unknown>) => [...outer][0], '(member)'],
  ['instances', (inner) => Object.assign(Object.create({}), { in: inner }), (outer: { in: unknown }) => outer.in, 'in'],
]

function nested(levels: number, wrap: (inner: unknown) => object, inner: unknown): unknown {
  let value = inner
  for (let i = 0; i < levels; i++) value = wrap(value)
  return value
}

for (const [name, wrap, open, place] of kinds) {
  each(`${name} are carried ${MAX_DEPTH} deep`, (carry) => {
    let arrived = carry(nested(MAX_DEPTH - 1, wrap, pid))
    for (let i = 1; i < MAX_DEPTH; i++) arrived = open(arrived as never)
    assert.ok(pid.equals(arrived))
  })

  each(`${name} are refused deeper, with the beginning of their place`, (carry) => {
    for (const levels of [MAX_DEPTH, 5 * MAX_DEPTH]) {
      const value = nested(levels, wrap, pid)
      const error = assert.throwsCode(() => carry({ a: [value] }), 'NOT_CLONEABLE', /objects deep.*flat list/)
      const path = String(error.details['path'])
      assert.is(error.details['limit'], MAX_DEPTH)
      assert.ok(path.startsWith(`a[0]`) && path.includes(place) && path.length < 200, path)
      assert.ok(error.message.includes(path) && error.message.length < 400)
    }
  })
}

each('what is refused for its depth in one part does not count for the next', (carry) => {
  const error = Object.assign(new Error('x'), { deep: nested(2 * MAX_DEPTH, (inner) => [inner], 1) })
  const arrived = carry([error, error, nested(MAX_DEPTH - 2, (inner) => [inner], pid)])
  assert.type(arrived[0], 'object')
  assert.type((arrived[0] as { deep?: unknown }).deep, 'string')
})

each('a chain of causes that is too long ends in words', (carry) => {
  let error = new Error('first')
  for (let i = 0; i < 5 * MAX_DEPTH; i++) error = new Error(`then ${i}`, { cause: error })
  let links = 0
  let cause: unknown = carry(error)
  for (; cause instanceof Error; cause = cause.cause) links++
  assert.is(links, MAX_DEPTH)
  assert.ok(String(cause).includes('then'), String(cause))
})

each('aggregates of aggregates are carried as deep as other objects', (carry) => {
  const wrap = (inner: unknown) => new AggregateError([inner], 'several')
  let arrived = carry(nested(MAX_DEPTH / 2 - 1, wrap, pid))
  for (let i = 1; i < MAX_DEPTH / 2; i++) arrived = (arrived as AggregateError).errors[0]
  assert.ok(pid.equals(arrived))
})

test('a message with a transfer has the same limit', () => {
  const buffer = new ArrayBuffer(8)
  const value = nested(2 * MAX_DEPTH, (inner) => [inner], buffer)
  assert.throwsCode(() => pack(value, [buffer]), 'NOT_CLONEABLE', /objects deep/)
  assert.is(buffer.byteLength, 8)
})

test.run()
