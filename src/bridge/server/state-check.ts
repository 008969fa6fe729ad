import { BeamlineError } from '../../errors.js'
import type { HistoryEntry } from '../../variables/change.js'
import type { NumberedInfo, SessionState } from '../../variables/session-state.js'
import { compileValidator, type Validator } from '../../variables/types/index.js'
import { LOST_NAME } from './lost-name.js'

/** Revisions and versions stay below, so that whatever counts on from them stays exact. */
const HIGHEST = 2 ** 52
const HIGHEST_NUMBER = 2 ** 31
const LONGEST_NAME = 255

/**
 * Checks a state with which a client wants a session to begin: nothing of it has been looked at by anybody but the client.
 * @throws BeamlineError INVALID_TYPE
 */
export function checkState(state: SessionState): SessionState {
  const { incarnation, revision, variables, histories = {}, leases = {} } = state
  if (incarnation !== '' && !/^[\da-f]{32}$/.test(incarnation))
    throw invalid('incarnation must be 32 digits of lower-case hex, or empty')
  count('revision', revision)
  const [names, numbers] = [new Set<string>(), new Set<number>()]
  for (const variable of variables) {
    const { name, number } = variable
    if (name === '' || name === LOST_NAME || Buffer.byteLength(name) > LONGEST_NAME)
      throw invalid(`a variable's name must have 1 to ${LONGEST_NAME} bytes, and not be ${LOST_NAME}`)
    if (names.has(name)) throw invalid(`${name} is there twice`)
    if (!(number < HIGHEST_NUMBER) || numbers.has(number))
      throw invalid(`${name}: the number ${number} is another's, or too high`)
    names.add(name)
    numbers.add(number)
    checkVariable(variable, Object.hasOwn(histories, name) ? histories[name] : undefined)
  }
  for (const [name, { token, since }] of Object.entries(leases))
    if (!(token >= 0 && token < HIGHEST_NUMBER) || !Number.isFinite(since))
      throw invalid(`${name}: its lease has a token that is too high, or no time`)
  return state
}

function checkVariable(info: NumberedInfo, history: readonly HistoryEntry[] = []): void {
  const { name, base, constraints, createdAt, updatedAt } = info
  try {
    const validator = compileValidator(name, base, constraints) as Validator
    for (const { value, version, revision, timestamp } of [{ ...info, timestamp: updatedAt }, ...history]) {
      validator.parse(name, value)
      count(`${name}: version`, version)
      count(`${name}: revision`, revision)
      if (!Number.isFinite(timestamp)) throw invalid(`${name}: a time must be a number of milliseconds`)
    }
    if (!Number.isFinite(createdAt)) throw invalid(`${name}: a time must be a number of milliseconds`)
  } catch (error) {
    if (!(error instanceof BeamlineError) || error.code === 'INVALID_TYPE') throw error
    throw invalid(error.message, error)
  }
}

function count(what: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0 && value < HIGHEST) return
  throw invalid(`${what} must be a whole number from 0 to below 2^52`)
}

const invalid = (reason: string, cause?: unknown): BeamlineError =>
  new BeamlineError('INVALID_TYPE', `the state is not right: ${reason}`, { cause, details: { reason } })
