import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { BeamlineError, shown } from '../../errors.js'
import { Pid, Ref } from '../../threads/pid.js'

/** What something can be registered under: compared by its content, so two equal lists are one key. */
export type Key = string | number | boolean | Pid | Ref | readonly Key[] | { readonly [name: string]: Key }

/** How deep a key may be nested, and how many parts it may have: one that leads back to itself has no end. */
const DEEPEST = 32
const MOST_PARTS = 1000
/** Bytes; a longer text is stood for by its digest. */
const LONGEST = 256

/**
 * A text that is equal for equal keys, and for no others; the order of an object's properties does not count.
 * @throws BeamlineError INVALID_TYPE for what is no key
 */
export function keyText(key: unknown): string {
  const text = textOf(key, DEEPEST, { left: MOST_PARTS })
  if (text === undefined) {
    const kinds = 'strings, numbers, booleans, Pids, Refs, and lists and plain objects of them'
    const advice = `give one of ${kinds}, ${DEEPEST} deep and of ${MOST_PARTS} parts at most`
    throw new BeamlineError('INVALID_TYPE', `${shown(key)} is no key: ${advice}`)
  }
  return Buffer.byteLength(text) > LONGEST ? `=${createHash('sha256').update(text).digest('hex')}` : text
}

function textOf(part: unknown, depth: number, parts: { left: number }): string | undefined {
  if (typeof part === 'string') return JSON.stringify(part)
  if (typeof part === 'number' || typeof part === 'boolean') return String(part)
  if (typeof part !== 'object' || part === null || types.isProxy(part)) return undefined
  if (part instanceof Pid || part instanceof Ref) return part.toString()
  if (depth === 0) return undefined
  const texts: string[] = []
  const isList = Array.isArray(part)
  if (!isList && Object.getPrototypeOf(part) !== Object.prototype) return undefined
  const fields = Object.getOwnPropertyDescriptors(part) as Readonly<Record<string, PropertyDescriptor>>
  const names = isList ? part.keys() : Object.keys(part).sort()
  for (const name of names) {
    const text = --parts.left < 0 ? undefined : textOf(fields[name]?.value, depth - 1, parts)
    if (text === undefined) return undefined
    texts.push(isList ? text : `${JSON.stringify(name)}:${text}`)
  }
  return isList ? `[${texts.join()}]` : `{${texts.join()}}`
}
