import { BeamlineError } from '../../src/errors.js'
import { Pid } from '../../src/threads/pid.js'
import { assert, suite } from '../harness.js'
import { eachWay } from './ways.js'

const test = suite('errors in a payload')

const pid = new Pid('node', 3, 4, 5)

const each = eachWay(test)

each('K9 an error keeps its class, message, code, stack and cause', (carry) => {
  const cause = new RangeError('too far')
  const error = Object.assign(new TypeError('wrong', { cause }), { code: 'E_WRONG', attempts: 3 })
  const arrived = carry({ error }).error
  assert.is.not(arrived, error)
  assert.ok(arrived instanceof TypeError)
  assert.is(arrived.message, 'wrong')
  assert.is(arrived.code, 'E_WRONG')
  assert.is(arrived.attempts, 3)
  assert.is(arrived.stack, error.stack)
  assert.ok(arrived.cause instanceof RangeError)
  assert.is(arrived.cause.message, 'too far')
  assert.is(arrived.cause.stack, cause.stack)
})

each('K9 an error of an unknown class keeps its name', (carry) => {
  class PaymentError extends Error {
    override name = 'PaymentError'
    amount = 5
    customer = pid
  }
  const arrived = carry(new PaymentError('refused'))
  assert.ok(arrived instanceof Error)
  assert.is(arrived.name, 'PaymentError')
  assert.is(String(arrived), 'PaymentError: refused')
  assert.is(arrived.amount, 5)
  assert.ok(arrived.customer.equals(pid))
})

each('K9 a BeamlineError is one again, with details that may hold pids and errors', (carry) => {
  const details = { name: 'x', holder: pid, at: { why: new SyntaxError('deep') } }
  const cause = new BeamlineError('NOPROC', 'inner')
  const arrived = carry(new BeamlineError('ALREADY_REGISTERED', 'taken', { details, cause }))
  assert.ok(arrived instanceof BeamlineError)
  assert.is(arrived.code, 'ALREADY_REGISTERED')
  assert.is(arrived.details['name'], 'x')
  assert.ok((arrived.details['holder'] as Pid).equals?.(pid), 'the pid in the details')
  assert.ok((arrived.details['at'] as { why: Error }).why instanceof SyntaxError)
  assert.is((arrived.cause as BeamlineError).code, 'NOPROC')
})

each('K9 an AggregateError keeps its errors', (carry) => {
  const arrived = carry(new AggregateError([new TypeError('one'), 'two', { pid }], 'several'))
  assert.ok(arrived instanceof AggregateError)
  assert.is(arrived.message, 'several')
  assert.ok(arrived.errors[0] instanceof TypeError)
  assert.is(arrived.errors[1], 'two')
  assert.ok(arrived.errors[2].pid.equals(pid))
})

each('K9 causes that are no errors arrive as they are', (carry) => {
  for (const cause of [null, 0, 'why', { code: 1, pid }, [new Error('inner')]]) {
    const arrived = carry(new Error('x', { cause }))
    assert.equal(JSON.stringify(arrived.cause), JSON.stringify(cause))
  }
  assert.is('cause' in carry(new Error('x')), false)
})

each('K9 what an error cannot take along is described, and the error arrives', (carry) => {
  const odd = Object.assign(Object.create(null), { run() {} })
  const request = { socket: { on() {} }, promise: Promise.resolve() }
  const error = Object.assign(new Error('failed', { cause: () => {} }), { request, odd, n: 1, tag: Symbol('mark') })
  const arrived = carry(error)
  assert.is(arrived.message, 'failed')
  assert.is(arrived.n, 1)
  for (const described of [arrived.cause, arrived.request, arrived.odd, arrived.tag]) assert.type(described, 'string')
  assert.is(arrived.tag as unknown, 'Symbol(mark)')
})

each('K9 an error may be its own cause, and stand in several places', (carry) => {
  const error: Error & { list?: unknown[]; cause?: unknown } = new Error('round')
  error.cause = error
  error.list = [error, { error }]
  const arrived = carry([error, error])
  assert.is(arrived[0], arrived[1])
  assert.is(arrived[0]?.cause, arrived[0])
  assert.is(arrived[0]?.list?.[0], arrived[0])
  const outer = new AggregateError([], 'outer')
  const inner = new BeamlineError('STOPPED', 'inner', { cause: outer, details: { outer } })
  outer.errors.push(inner)
  const back = carry(outer)
  assert.is((back.errors[0] as BeamlineError).cause, back)
  assert.is((back.errors[0] as BeamlineError).details['outer'], back)
})

each('K9 an error inside a cycle of objects points back into it', (carry) => {
  const context: { error?: Error & { context?: unknown }; n: number } = { n: 1 }
  context.error = Object.assign(new Error('x'), { context })
  const arrived = carry(context)
  assert.is(arrived.error?.context, arrived)
})

each('K9 an error that is sent on arrives as it arrived first', (carry) => {
  const details = { holder: pid }
  const sent = Object.assign(new BeamlineError('NOT_FOUND', 'no', { details, cause: new Error('why') }), {
    attempts: 2,
  })
  const arrived = carry(carry(carry(sent)))
  assert.is(arrived.code, 'NOT_FOUND')
  assert.is(arrived.attempts, 2)
  assert.ok((arrived.details['holder'] as Pid).equals(pid))
  assert.is((arrived.cause as Error).message, 'why')
  assert.equal(Object.keys(arrived).sort(), Object.keys(sent).sort())
})

each('K9 errors keep what they extend or override', (carry) => {
  const dom = new DOMException('stopped', 'AbortError')
  assert.is(carry(dom as Error).name, 'AbortError')
  assert.is(carry(dom as Error).message, 'stopped')
  const renamed = Object.assign(new Error('m'), { name: 'Renamed' })
  assert.is(carry(renamed).name, 'Renamed')
  const bare = new Error('no stack')
  delete bare.stack
  assert.is(carry(bare).message, 'no stack')
  class Late extends Error {
    override get message() {
      return 'computed'
    }
  }
  assert.is(carry(new Late()).message, 'computed')
})

test.run()
