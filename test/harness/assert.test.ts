import { BeamlineError } from '../../src/errors.js'
import { assert, eventually, suite } from '../harness.js'

const refusal = new BeamlineError('NOT_FOUND', 'Variable not found: x')
const fails = (): never => {
  throw refusal
}

/** The message with which `check` fails. */
async function complaint(check: () => unknown): Promise<string> {
  try {
    await check()
  } catch (error) {
    return (error as Error).message
  }
  return 'it passed'
}

const test = suite('assertions for errors with a code')

test('rejects gives the error of a promise or of a function', async () => {
  assert.is(await assert.rejects(Promise.reject(refusal), 'NOT_FOUND', /found: x/), refusal)
  assert.is(await assert.rejects(async () => fails()), refusal)
  assert.is(await assert.rejects(fails, 'NOT_FOUND'), refusal)
})

test('rejects takes an error of any class by its message', async () => {
  const error = new TypeError('no such thing')
  assert.is(await assert.rejects(Promise.reject(error), /such/), error)
  assert.match(
    await complaint(() => assert.rejects(Promise.reject(error), /other/)),
    /like \/other\/, not: no such thing/,
  )
  assert.match(await complaint(() => assert.rejects(Promise.reject('text'), /text/)), /expected an error, not: 'text'/)
})

test('rejects fails for a promise that resolves, another code, another message, another class', async () => {
  assert.match(
    await complaint(() => assert.rejects(Promise.resolve(1), 'NOT_FOUND')),
    /with NOT_FOUND, but it resolved/,
  )
  assert.match(await complaint(() => assert.rejects(Promise.reject(refusal), 'NOPROC')), /NOPROC, not NOT_FOUND/)
  assert.match(await complaint(() => assert.rejects(Promise.reject(refusal), 'NOT_FOUND', /y/)), /\/y\/, not: Var.*: x/)
  assert.match(
    await complaint(() => assert.rejects(Promise.reject(new Error('plain')))),
    /a BeamlineError, not: .*plain/,
  )
})

test('throwsCode gives the error, and fails for none, a rejection, another code or another class', async () => {
  assert.is(assert.throwsCode(fails, 'NOT_FOUND', /found/), refusal)
  assert.match(await complaint(() => assert.throwsCode(() => 1, 'NOPROC')), /nothing was thrown/)
  assert.match(await complaint(() => assert.throwsCode(fails, 'NOPROC')), /NOPROC, not NOT_FOUND/)
  const throwsPlain = (): never => {
    throw new Error('plain')
  }
  assert.match(await complaint(() => assert.throwsCode(throwsPlain, 'NOPROC')), /expected NOPROC, not: .*plain/)
  const promised = Promise.reject(refusal)
  assert.match(await complaint(() => assert.throwsCode(() => promised, 'NOT_FOUND')), /nothing was thrown/)
  await assert.rejects(promised, 'NOT_FOUND')
})

test('eventually waits until a check holds, and tells what it last said when it never does', async () => {
  let turns = 0
  await eventually(() => ++turns > 3)
  assert.is(turns, 4)
  assert.match(await complaint(() => eventually(() => false, { timeout: 20 })), /still false after 20 ms/)
  assert.is(await complaint(() => eventually(fails, { timeout: 20 })), refusal.message)
})

test.run()
