import { BeamlineError } from '../errors.js'

/** What a writer says instead of a position: the value does not fit below the limit. */
export const FULL = -1

/** What a writer says instead of a position: the compact form has no place for such a value. */
export const UNFIT = -2

/**
 * The compact form of a value is one byte of these, and what follows it. A byte that is none of them, as zero is in
 * memory that was never written, begins no value. Numbers are little-endian and nothing is aligned.
 */
export const Form = {
  undefined: 1,
  null: 2,
  false: 3,
  true: 4,
  /** Four bytes. */
  integer: 5,
  /** Eight bytes. */
  double: 6,
  /** A byte with the number of characters, then a byte for each. */
  shortText: 7,
  /** The same, two bytes for each. */
  shortWideText: 8,
  /** Four bytes with the number of characters, then a byte for each. */
  longText: 9,
  /** The same, two bytes for each. */
  longWideText: 10,
  /** Two bytes with the number of items, then the items. */
  array: 11,
  /** Two bytes with the length of the keys, the keys, which are texts, then for each its value. */
  record: 12,
  /** This and all above it: an integer from 0 to {@link MAX_SMALL}. */
  small: 0x80,
} as const

export const MAX_SMALL = 0x7f
export const MAX_SHORT = 0xff
export const MAX_ITEMS = 0xffff

/** How many bytes the keys of a record may take. */
export const MAX_KEYS = 0xffff

/** How many containers deep a value may be. A cycle is endlessly deep, unless {@link MAX_CONTAINERS} finds it first. */
export const MAX_DEPTH = 16

/** How many containers a value may have: the writer compares each with those before, as one that is met twice is unfit. */
export const MAX_CONTAINERS = 128

/** The refusal of bytes that no writer has written. */
export function corrupt(what: string, at: number, cause?: unknown): BeamlineError {
  const text = `${what} at byte ${at} of a message: the memory between two threads was written by a third, or is no such memory`
  return new BeamlineError('CORRUPT', text, { details: { at }, cause })
}
