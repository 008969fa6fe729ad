import * as uvuAssert from 'uvu/assert'
import { BeamlineError, type ErrorCode } from '../../src/errors.js'
import { asError } from './faults.js'

type Work = Promise<unknown> | (() => unknown)

interface Rejects {
  /** That `work` rejects with a BeamlineError, of this code and with a message like this when they are given. */
  (work: Work, code?: ErrorCode, message?: RegExp): Promise<BeamlineError>
  /** That `work` rejects with an error of any class whose message is like this. */
  (work: Work, message: RegExp): Promise<Error>
}

const rejects = (async (work: Work, code?: ErrorCode | RegExp, message?: RegExp): Promise<Error> => {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (thrown) {
    if (!(code instanceof RegExp)) return withCode(thrown, code, message)
    if (thrown instanceof Error) return likeThis(thrown, code)
    throw asError('expected an error, not', thrown)
  }
  throw new Error(`expected a rejection${code === undefined ? '' : ` with ${code}`}, but it resolved`)
}) as Rejects

/** That `work` throws a BeamlineError of this code at once, and not by a rejected promise. */
function throwsCode(work: () => unknown, code: ErrorCode, message?: RegExp): BeamlineError {
  try {
    work()
  } catch (thrown) {
    return withCode(thrown, code, message)
  }
  throw new Error(`expected ${code}, but nothing was thrown`)
}

function withCode(thrown: unknown, code: ErrorCode | undefined, message: RegExp | undefined): BeamlineError {
  if (!(thrown instanceof BeamlineError)) throw asError(`expected ${code ?? 'a BeamlineError'}, not`, thrown)
  if (code !== undefined) uvuAssert.is(thrown.code, code, `expected ${code}, not ${thrown.code}: ${thrown.message}`)
  return message === undefined ? thrown : likeThis(thrown, message)
}

function likeThis<E extends Error>(error: E, message: RegExp): E {
  uvuAssert.match(error.message, message, `expected a message like ${message}, not: ${error.message}`)
  return error
}

/** uvu's assertions, and those for errors with a code. */
export const assert: typeof uvuAssert & { rejects: Rejects; throwsCode: typeof throwsCode } = {
  ...uvuAssert,
  rejects,
  throwsCode,
}
