import type { VariableInfo } from '../../variables/change.js'
import { CommandFailure, exitCodes } from './outcome.js'

type Typed = Pick<VariableInfo, 'name' | 'type' | 'base'>

const texts = new Set(['string', 'choice', 'module'])
const numbers: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/**
 * The value that a word on the command line stands for: text for a text variable, JSON for every other one.
 * @throws CommandFailure for what is neither
 */
export function parseValue(word: string, { name, type, base }: Typed): unknown {
  if (texts.has(base)) return word
  if (base === 'float' && word in numbers) return numbers[word]
  if (base === 'integer' && /^-?\d+$/.test(word)) {
    const value = Number(word)
    return Number.isSafeInteger(value) ? value : BigInt(word)
  }
  try {
    return JSON.parse(word) as unknown
  } catch {
    const example = examples[base] ?? '{"a":1}'
    throw new CommandFailure(
      exitCodes.usage,
      `'${word}' is no JSON, and ${name} is a ${type}: give a value such as '${example}'`,
    )
  }
}

const examples: Readonly<Record<string, string>> = {
  float: '0.7',
  integer: '42',
  boolean: 'true',
  embedding: '[0.1,0.2]',
  tensor: '{"shape":[2],"data":[1,2]}',
}

/** A value as a person reads it: text bare, everything else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'bigint' ? String(value) : jsonOf(value)
}

/** A value as JSON; what JSON lacks is a string in it. */
export function jsonOf(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) => {
      if (typeof inner === 'bigint') return String(inner)
      if (typeof inner === 'number' && !Number.isFinite(inner)) return String(inner)
      if (inner instanceof Uint8Array) return Buffer.from(inner).toString('base64')
      return inner
    }) ?? 'null'
  )
}
