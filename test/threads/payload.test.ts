import fc from 'fast-check'
import { copy, pack } from '../../src/threads/payload.js'
import { Pid, Ref } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'
import { same } from '../support/same.js'
import { eachWay, ways } from './ways.js'

const test = suite('payload', { timeout: 60_000 })

const pid = new Pid('node', 3, 4, 5)
const ref = new Ref('node', 3, 9)

const each = eachWay(test)

each('primitives arrive as they are', (carry) => {
  for (const value of [undefined, null, true, 0, -0, Number.NaN, 1.5, 10n ** 30n, '', 'text', '\ud800']) {
    assert.ok(Object.is(carry(value), value), String(value))
  }
})

each('pids and references arrive with their methods, wherever they are', (carry) => {
  assert.ok(carry(pid).equals(pid))
  assert.ok(carry(ref).equals(ref))
  const { deep, map, set } = carry({ deep: [{ pid, ref }], map: new Map([[pid, ref]]), set: new Set([ref]) })
  assert.ok(deep[0]?.pid.equals(pid) && deep[0].ref.equals(ref))
  assert.is([...map.keys()][0]?.toString(), pid.toString())
  assert.ok([...map.values()][0]?.equals(ref))
  assert.ok([...set][0]?.equals(ref))
})

each('the built-in types that structured clone knows arrive as themselves', (carry) => {
  const values = [
    new Date(12345),
    /a(b)c/gi,
    new Map<unknown, unknown>([
      ['a', { b: 1 }],
      [{ key: 1 }, 'by object'],
    ]),
    new Set([1, 'two', { three: 3 }]),
    new Uint8Array([1, 2, 3]),
    new Float64Array([1.5, Number.NaN]),
    new BigInt64Array([1n, -1n]),
    new DataView(new ArrayBuffer(4)),
    new Uint8Array([7, 8]).buffer,
    Object(5),
    Object('boxed'),
  ]
  for (const value of values) {
    const arrived = carry({ value }).value
    same(arrived, value)
    assert.is.not(arrived, value)
  }
})

each('an invalid date arrives as one, as a key and as a member too', (carry) => {
  const never = new Date(Number.NaN)
  const arrived = carry({ part: never, map: new Map([[never, 1]]), set: new Set([never, new Date(Number.NaN)]) })
  for (const date of [arrived.part, ...arrived.map.keys(), ...arrived.set]) {
    assert.ok(date instanceof Date && Number.isNaN(date.getTime()))
  }
  assert.is(arrived.set.size, 2)
  assert.ok(arrived.map.has(arrived.part) && arrived.set.has(arrived.part))
  same(arrived, { part: never, map: new Map([[never, 1]]), set: new Set([never, new Date(Number.NaN)]) })
})

each('shared memory stays shared', (carry) => {
  const words = new Int32Array(new SharedArrayBuffer(8))
  const arrived = carry({ words }).words
  arrived[1] = 42
  assert.is(words[1], 42)
})

each('shared parts stay shared and cycles stay cycles', (carry) => {
  const part = { name: 'part' }
  const node: { self?: unknown; list: unknown[]; map: Map<string, unknown>; set: Set<unknown>; pid: Pid } = {
    list: [part, part],
    map: new Map(),
    set: new Set(),
    pid,
  }
  node.self = node
  node.list.push(node.list)
  node.map.set('node', node)
  node.set.add(node.map)
  const arrived = carry(node)
  assert.is(arrived.self, arrived)
  assert.is(arrived.list[0], arrived.list[1])
  assert.is(arrived.list[2], arrived.list)
  assert.is(arrived.map.get('node'), arrived)
  assert.ok(arrived.set.has(arrived.map))
  assert.is.not(arrived.list[0], part)
})

each('instances of classes become literals of their own properties', (carry) => {
  class Point {
    #hidden = 1
    x = 1
    y: unknown = pid
    get sum() {
      return this.#hidden
    }
  }
  const arrived = carry(new Point())
  assert.is(Object.getPrototypeOf(arrived), Object.prototype)
  assert.equal(Object.keys(arrived), ['x', 'y'])
  assert.ok(pid.equals(arrived.y))
  assert.is(Object.getPrototypeOf(carry(Object.assign(Object.create(null), { a: 1 }))), Object.prototype)
})

each('a class may call its instances what it likes', (carry) => {
  class Money {
    owner: unknown = pid
    get [Symbol.toStringTag]() {
      return 'Money'
    }
  }
  const arrived = carry(new Money())
  assert.is(Object.getPrototypeOf(arrived), Object.prototype)
  assert.ok(pid.equals(arrived.owner))
  assert.is(
    assert.throwsCode(() => carry(Object.assign(new Money(), { owner: { f() {} } })), 'NOT_CLONEABLE').code,
    'NOT_CLONEABLE',
  )
})

each('a map key that has no text is a key like others', (carry) => {
  const key = Object.assign(Object.create(null), { a: 1 })
  const arrived = carry(new Map([[key, { pid }]]))
  same([...arrived.keys()], [{ a: 1 }])
  assert.ok([...arrived.values()][0]?.pid.equals(pid))
})

each('a key named __proto__ is an ordinary key and pollutes nothing', (carry) => {
  const evil = JSON.parse('{"__proto__":{"polluted":true},"a":1}')
  for (const value of [evil, { evil, pid }]) {
    const arrived = carry(value) as Record<string, unknown>
    const found = (arrived['evil'] ?? arrived) as object
    assert.equal(Object.keys(found), ['__proto__', 'a'])
    assert.is(Object.getPrototypeOf(found), Object.prototype)
    assert.is((found as { polluted?: boolean }).polluted, undefined)
  }
})

each('an object with the key of the internal tag arrives as it is', (carry) => {
  const tag = '\u0000beamline'
  const values = [
    { [tag]: 'pid', parts: ['node', 1, 2, 3] },
    { [tag]: 'error', parts: { name: 'Error', message: 'not one' }, more: 1 },
    { [tag]: 'literal', parts: [] },
    { list: [{ [tag]: undefined }], map: new Map([['a', { [tag]: { [tag]: 1 } }]]) },
    JSON.parse(`{"${JSON.stringify(tag).slice(1, -1)}":1,"__proto__":{"x":1}}`),
  ]
  for (const value of values) same(carry(value), value)
  assert.ok(carry({ [tag]: { [tag]: pid } })[tag]?.[tag]?.equals(pid))
})

each('an object with that key may contain itself', (carry) => {
  const loop: Record<string, unknown> = { '\u0000beamline': 'pid', name: 'loop' }
  loop['self'] = loop
  const arrived = carry(loop)
  assert.is(arrived['self'], arrived)
  assert.is(arrived['name'], 'loop')
})

each('what the sender changes later is not seen', (carry) => {
  const value = { list: [1], map: new Map([['a', { b: 1 }]]), bytes: new Uint8Array([1]), when: new Date(0) }
  const arrived = carry(value)
  value.list.push(2)
  value.map.clear()
  value.bytes[0] = 9
  value.when.setTime(1)
  same(arrived, { list: [1], map: new Map([['a', { b: 1 }]]), bytes: new Uint8Array([1]), when: new Date(0) })
})

const unclonable: [path: string, value: unknown][] = [
  ['', () => {}],
  ['', Symbol('s')],
  ['', Promise.resolve()],
  ['run', { run() {} }],
  ['a.b[2].c', { a: { b: [1, 2, { c: Symbol('s') }] } }],
  ['jobs[0]', { jobs: [Promise.resolve()] }],
  ['m.key', { m: new Map([['key', () => {}]]) }],
  ['m(key)', { m: new Map([[() => {}, 1]]) }],
  ['s(member)', { s: new Set([new WeakMap()]) }],
  ['pids[1]', { pids: [pid, new WeakRef(pid)] }],
  ['[300]', [...Array(300).keys(), () => {}]],
]

for (const [path, value] of unclonable) {
  each(`what no message can carry is refused, with its place: '${path}'`, (carry) => {
    const error = assert.throwsCode(() => carry(value), 'NOT_CLONEABLE', /send plain data/)
    assert.is(error.details['path'], path)
    assert.ok(error.message.includes(path === '' ? 'the message is' : path), error.message)
  })
}

each('a proxy is refused, on one thread too', (carry) => {
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const proxy of [new Proxy({ a: 1 }, {}), new Proxy([1], {}), new Proxy(new Map(), {}), revoked]) {
    assert.throwsCode(() => carry(proxy), 'NOT_CLONEABLE')
    assert.throwsCode(() => carry([{ pid, proxy }]), 'NOT_CLONEABLE', /part \[0\]\.proxy is a Proxy/)
  }
})

test('a refusal names the path inside an object with the internal tag too', () => {
  const error = assert.throwsCode(() => pack({ a: { '\u0000beamline': 1, f() {} } }), 'NOT_CLONEABLE')
  assert.is(error.details['path'], 'a.f')
})

test('a transferred buffer is moved, on one thread too', () => {
  const buffer = new ArrayBuffer(8)
  const arrived = copy({ buffer, pid }, [buffer]) as { buffer: ArrayBuffer; pid: Pid }
  assert.is(buffer.byteLength, 0)
  assert.is(arrived.buffer.byteLength, 8)
  assert.ok(arrived.pid.equals(pid))
})

test('what cannot be transferred is refused on one thread too', () => {
  const buffer = new ArrayBuffer(8)
  assert.throwsCode(() => copy({ buffer }, [buffer, buffer]), 'NOT_CLONEABLE')
  assert.throwsCode(() => copy({ buffer }, [{} as never]), 'NOT_CLONEABLE')
  structuredClone(buffer, { transfer: [buffer] })
  assert.throwsCode(() => copy({ view: [buffer] }), 'NOT_CLONEABLE')
})

test('small plain messages are not copied before they are cloned', () => {
  const value = { a: [1, { b: 'c' }] }
  assert.is(pack(value).data, value)
  assert.is(pack(value).tagged, false)
  assert.is(pack({ pid }).tagged, true)
})

const plain = fc.anything({ withDate: true, withMap: true, withSet: true, withTypedArray: true, withBigInt: true })

test('plain values arrive as structured clone and copy would have them', () => {
  fc.assert(
    fc.property(plain, (value) => {
      const expected = structuredClone(value)
      for (const [, carry] of ways) same(carry(value), expected)
    }),
    { numRuns: 2000 },
  )
})

const leaf = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(), fc.nat()).map((raw) => Pid.fromRaw('node', raw)),
  fc.tuple(fc.nat(), fc.nat()).map((raw) => Ref.fromRaw('node', raw)),
  fc.tuple(fc.string(), fc.string()).map(([message, code]) => Object.assign(new TypeError(message), { code })),
  fc.constant({ '\u0000beamline': 'pid', parts: [] }),
)

test('values with pids, references and errors arrive the same both ways', () => {
  const value = fc.letrec((tie) => ({
    tree: fc.oneof({ depthSize: 'small' }, plain, leaf, fc.array(tie('tree')), fc.dictionary(fc.string(), tie('tree'))),
  })).tree
  fc.assert(
    fc.property(value, (tree) => {
      const [across, copied] = ways.map(([, carry]) => carry(tree))
      same(across, copied)
    }),
    { numRuns: 1000 },
  )
})

test.run()
