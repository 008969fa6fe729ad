import { BeamlineError, shown } from '../errors.js'
import { MAX_NESTING } from './nesting.js'
import { isRecord } from './shape.js'
import { isPlainObject } from './types/refusal.js'

/** @throws BeamlineError INVALID_TYPE for what is no metadata of the variable `name` */
export function checkMetadata(name: string, metadata: unknown): void {
  if (metadata === undefined) return
  if (!isPlainObject(metadata)) throw bad(name, `metadata is ${shown(metadata)}: give an object`)
  if (!isDeeper(metadata, MAX_NESTING, new Set())) return
  throw bad(name, `metadata is nested deeper than ${MAX_NESTING} levels: give flat data`)
}

/** An object met again is no deeper than before: the copy refers to it. */
function isDeeper(value: unknown, limit: number, seen: Set<object>): boolean {
  if (!isRecord(value) || ArrayBuffer.isView(value) || seen.has(value)) return false
  if (limit === 0) return true
  seen.add(value)
  return partsOf(value).some((part) => isDeeper(part, limit - 1, seen))
}

function partsOf(value: object): unknown[] {
  if (value instanceof Map) return [...value].flat()
  return value instanceof Set ? [...value] : Object.values(value)
}

function bad(name: string, reason: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `${name}: ${reason}`, { details: { name } })
}
