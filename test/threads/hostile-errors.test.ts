import { runInNewContext } from 'node:vm'
import { BeamlineError } from '../../src/errors.js'
import { Pid } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'
import { eachWay } from './ways.js'

const test = suite('hostile errors in a payload')
const each = eachWay(test)

const pid = new Pid('node', 3, 4, 5)

const throwing = (key: string, target: object = new Error('held')) =>
  Object.defineProperty(target, key, {
    get() {
      throw new RangeError('no reading')
    },
    enumerable: true,
    configurable: true,
  }) as Error

const oddTexts: unknown[] = [
  { toString: () => 'never asked', run() {} },
  Object.create(null),
  Symbol('mark'),
  () => {},
  null,
  7,
  ['list'],
  new Proxy({}, {}),
]

for (const key of ['name', 'message', 'stack'] as const) {
  each(`an error whose ${key} is no text arrives, with one`, (carry) => {
    for (const odd of oddTexts) {
      const arrived = carry(Object.assign(new TypeError('held'), { [key]: odd, code: 'E' }) as Error)
      assert.ok(arrived instanceof Error)
      assert.type(arrived[key], 'string')
      assert.is((arrived as Error & { code?: string }).code, 'E')
      assert.type(String(arrived), 'string')
    }
  })

  each(`an error whose ${key} cannot be read arrives, and says why`, (carry) => {
    const arrived = carry(throwing(key))
    assert.match(arrived[key] as string, /threw.*no reading/)
  })
}

each('a missing name and message are those that every error has', (carry) => {
  const arrived = carry(Object.assign(new Error('x'), { name: undefined, message: undefined }))
  assert.is(String(arrived), 'Error')
})

for (const key of ['cause', 'details', 'code', 'errors', 'extra']) {
  each(`an error with a ${key} that cannot be read arrives without it, and says why`, (carry) => {
    const arrived = carry(throwing(key)) as unknown as Record<string, unknown>
    assert.is(arrived['message'], 'held')
    assert.match(arrived[key] as string, /threw.*no reading/)
  })
}

each('an aggregate whose errors are no list arrives', (carry) => {
  for (const errors of [null, 5, 'text', { length: 2 }, new Proxy([], {})]) {
    const arrived = carry(Object.assign(new AggregateError([], 'several'), { errors }))
    assert.ok(arrived instanceof AggregateError)
    assert.is(arrived.message, 'several')
  }
})

each('an error with functions and symbols in any place arrives with words instead', (carry) => {
  const error = Object.assign(new BeamlineError('STOPPED', 'held', { details: { f() {} }, cause: Symbol('why') }), {
    retry() {},
    [Symbol('key')]: 1,
    toString: () => 'its own',
    valueOf: () => 5,
  })
  const arrived = carry(error) as unknown as Record<string, unknown>
  assert.ok(arrived instanceof BeamlineError)
  assert.is(arrived.code, 'STOPPED')
  assert.is(arrived.cause, 'Symbol(why)')
  for (const key of ['details', 'retry']) assert.match(arrived[key] as string, /Function/)
  assert.is(String(arrived), 'BeamlineError: held')
})

each('properties that are named like those of every object arrive', (carry) => {
  const error = Object.assign(new Error('x'), JSON.parse('{"constructor":1,"hasOwnProperty":2,"__proto__":{"a":3}}'))
  Object.defineProperty(error, '__proto__', { value: { a: 3 }, enumerable: true, configurable: true, writable: true })
  const arrived = carry(error)
  assert.is(arrived.constructor, 1)
  assert.is(arrived.hasOwnProperty, 2)
  assert.equal(Object.getOwnPropertyDescriptor(arrived, '__proto__')?.value, { a: 3 })
  assert.ok(arrived instanceof Error)
})

each('an error with the key of the internal tag keeps it', (carry) => {
  const tag = '\u0000beamline'
  const arrived = carry(Object.assign(new Error('x'), { [tag]: 'pid', [tag + tag]: 2, parts: [pid] }))
  assert.is(arrived[tag], 'pid')
  assert.is(arrived[tag + tag], 2)
  assert.ok(arrived.parts[0]?.equals(pid))
})

each('a proxy of an error is refused like any proxy, and described inside another error', (carry) => {
  const inner = new Error('inner')
  const { proxy: revoked, revoke } = Proxy.revocable(inner, {})
  revoke()
  const hostile = new Proxy(inner, {
    getPrototypeOf: () => {
      throw new Error('trap')
    },
  })
  for (const proxy of [new Proxy(inner, {}), hostile, revoked]) {
    assert.throwsCode(() => carry(proxy), 'NOT_CLONEABLE', /Proxy/)
    assert.throwsCode(() => carry({ pid, proxy }), 'NOT_CLONEABLE', /part proxy is a Proxy/)
    assert.type(carry(new Error('outer', { cause: proxy })).cause, 'string')
  }
})

each('memory that has been transferred away is refused with its place, and described inside an error', (carry) => {
  const buffer = new ArrayBuffer(8)
  const view = new Uint8Array(buffer)
  structuredClone(buffer, { transfer: [buffer] })
  for (const gone of [buffer, view]) {
    assert.throwsCode(() => carry({ pid, gone: [gone] }), 'NOT_CLONEABLE', /part gone\[0\]/)
    const arrived = carry(Object.assign(new Error('held'), { gone })) as Error & { gone: unknown }
    assert.is(arrived.message, 'held')
    assert.type(arrived.gone, 'string')
  }
  const empty = carry({ pid, all: [new ArrayBuffer(0), new Uint8Array(0), new Uint8Array(new SharedArrayBuffer(0))] })
  assert.equal(
    empty.all.map(({ byteLength }) => byteLength),
    [0, 0, 0],
  )
})

each('a part that an error has described is refused, or described, wherever else it stands', (carry) => {
  const part = { n: 1, inner: { m: 2 }, run() {} }
  const twice = carry(Object.assign(new Error('x'), { one: part, two: part, inner: part.inner }))
  for (const key of ['one', 'two'] as const) assert.type(twice[key], 'string')
  assert.equal(twice.inner, { m: 2 })
  assert.throwsCode(
    () => carry([new Error('x', { cause: part }), part]),
    'NOT_CLONEABLE',
    /part \[1\]\.run is a function/,
  )
})

each('a chain of causes that leads back into itself does so where it arrives', (carry) => {
  const [first, second]: (Error & { cause?: unknown })[] = [new Error('first'), new TypeError('second')] as never
  if (first === undefined || second === undefined) return
  first.cause = { by: second, run: [] }
  second.cause = new AggregateError([first, second], 'both')
  const arrived = carry(first) as unknown as { cause: { by: { cause: AggregateError } } }
  assert.is(arrived.cause.by.cause.errors[0], arrived)
  assert.is(arrived.cause.by.cause.errors[1], arrived.cause.by)
})

each('an aggregate of an unknown class keeps its errors however often it is sent on', (carry) => {
  class Failures extends AggregateError {
    override name = 'Failures'
  }
  const arrived = carry(carry(new Failures([new RangeError('one')], 'several')))
  assert.is(arrived.name, 'Failures')
  assert.ok(arrived.errors[0] instanceof RangeError)
})

each('an error of another realm arrives as one of this', (carry) => {
  const foreign = runInNewContext(`Object.assign(new TypeError('far'), { code: 'E_FAR' })`)
  const arrived = carry({ foreign }).foreign
  assert.ok(arrived instanceof TypeError)
  assert.is((arrived as TypeError & { code?: string }).code, 'E_FAR')
})

test.run()
