import { Metadata, status } from '@grpc/grpc-js'
import { errorOf, reasonOf, refusalOf } from '../../src/bridge/wire/status.js'
import { BeamlineError, type ErrorCode } from '../../src/index.js'
import { assert, suite } from '../harness.js'

const test = suite('bridge: errors as statuses')

const statuses: Readonly<Record<ErrorCode, keyof typeof status>> = {
  NOT_FOUND: 'NOT_FOUND',
  ALREADY_EXISTS: 'ALREADY_EXISTS',
  ALREADY_REGISTERED: 'ALREADY_EXISTS',
  INVALID_TYPE: 'INVALID_ARGUMENT',
  CONSTRAINT: 'INVALID_ARGUMENT',
  BAD_ENTRY: 'INVALID_ARGUMENT',
  NOT_CLONEABLE: 'INVALID_ARGUMENT',
  VERSION_CONFLICT: 'ABORTED',
  LOCKED: 'FAILED_PRECONDITION',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
  PERMISSION_DENIED: 'PERMISSION_DENIED',
  EXHAUSTED: 'RESOURCE_EXHAUSTED',
  OVERFLOW: 'RESOURCE_EXHAUSTED',
  MAILBOX_FULL: 'RESOURCE_EXHAUSTED',
  COMPACTED: 'OUT_OF_RANGE',
  CALL_TIMEOUT: 'DEADLINE_EXCEEDED',
  NOPROC: 'UNAVAILABLE',
  UNAVAILABLE: 'UNAVAILABLE',
  STOPPED: 'UNAVAILABLE',
  CORRUPT: 'INTERNAL',
}

test('each code has its status, tells itself in the trailer, and comes back', () => {
  for (const [code, name] of Object.entries(statuses) as [ErrorCode, keyof typeof status][]) {
    const refusal = refusalOf(new BeamlineError(code, 'the words'))
    assert.is(refusal.code, status[name], code)
    if (name === 'INTERNAL') continue
    assert.equal([refusal.details, refusal.metadata.get('beamline-code')], ['the words', [code]])
    const back = errorOf(refusal)
    assert.equal([back.code, back.message, back.details], [code, 'the words', { status: name }])
  }
})

test('what is our own fault says nothing of itself', () => {
  for (const error of [new Error('secret'), new BeamlineError('CORRUPT', 'secret'), 'secret', undefined]) {
    const { code, details, metadata } = refusalOf(error)
    assert.equal([code, details, metadata.getMap()], [status.INTERNAL, 'internal error', {}])
  }
})

test('a refused value is told by the reason alone, and no other error is', () => {
  const details = { reason: 'must be an integer' }
  assert.is(reasonOf(new BeamlineError('INVALID_TYPE', 'x: must be an integer', { details })), 'must be an integer')
  assert.is(reasonOf(new BeamlineError('CONSTRAINT', 'x: no', { details })), 'must be an integer')
  assert.is(reasonOf(new BeamlineError('NOPROC', 'it is dead', { details: { reason: 'noproc' } })), 'it is dead')
  assert.is(reasonOf(new BeamlineError('INVALID_TYPE', 'all of it')), 'all of it')
})

test('the time to wait is told in the trailer', () => {
  const { metadata } = refusalOf(new BeamlineError('EXHAUSTED', 'slower', { details: { retryAfterMs: 10.2 } }))
  assert.equal(metadata.get('grpc-retry-pushback-ms'), ['11'])
})

test('a status of another server is the nearest error of ours', () => {
  const codeOf = (code: status, metadata = new Metadata()) => errorOf({ code, details: 'd', metadata }).code
  assert.is(codeOf(status.NOT_FOUND), 'NOT_FOUND')
  assert.is(codeOf(status.DEADLINE_EXCEEDED), 'CALL_TIMEOUT')
  assert.is(codeOf(status.UNKNOWN), 'UNAVAILABLE')
  const odd = new Metadata()
  odd.set('beamline-code', 'NO_SUCH_CODE')
  assert.is(codeOf(status.ABORTED, odd), 'VERSION_CONFLICT')
  assert.is(errorOf({ code: status.INTERNAL, details: 'd' }).code, 'UNAVAILABLE')
})

test.run()
