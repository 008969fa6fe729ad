import { BeamlineError } from '../../../errors.js'
import { isPlainObject } from '../../../variables/types/refusal.js'
import { readJson } from '../../wire/json-text.js'

type Constraints = Readonly<Record<string, unknown>>

/** Where an empty list leaves all free, as these clients write their defaults. */
const lists: readonly string[] = ['choices', 'allowed_modules', 'enum']

/** @throws BeamlineError CONSTRAINT, beginning `Invalid constraints` */
export function readConstraints(text: string): Constraints {
  const given = text.trim() === '' ? {} : parsed(text)
  const kept = Object.entries(given).filter(([key, value]) => !(lists.includes(key) && isEmpty(value)))
  return withPattern(Object.fromEntries(kept))
}

function parsed(text: string): Constraints {
  let value: unknown
  try {
    value = readJson(text)
  } catch (cause) {
    throw new BeamlineError('CONSTRAINT', 'Invalid constraints: they are no JSON', { cause })
  }
  if (value === null) return {}
  if (isPlainObject(value)) return value
  throw new BeamlineError('CONSTRAINT', 'Invalid constraints: they must be a JSON object')
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0

/** A pattern that is no regular expression stands for itself. */
function withPattern(constraints: Constraints): Constraints {
  const { pattern } = constraints
  if (typeof pattern !== 'string' || isExpression(pattern)) return constraints
  return { ...constraints, pattern: pattern.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&') }
}

function isExpression(pattern: string): boolean {
  try {
    new RegExp(pattern)
    return true
  } catch {
    return false
  }
}
