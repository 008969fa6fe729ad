import { serialize } from 'node:v8'
import { BeamlineError } from '../errors.js'
import { pack } from '../threads/payload.js'
import type { Metadata } from './change.js'
import type { StoredVariable } from './stored-variable.js'
import { contentOf, type Tag, tagOf } from './value-codec.js'

/** A write that has passed, and the value it leaves. */
export interface Checked {
  readonly variable: StoredVariable
  readonly value: unknown
  readonly said: Metadata | undefined
}

/** A write as it is put into shared memory. */
export interface Encoded extends Checked {
  readonly tag: Tag
  readonly content: unknown
  readonly words: Buffer | undefined
}

export function encoded(checked: Checked): Encoded {
  const { name } = checked.variable
  const tag = tagOf(checked.value)
  return { ...checked, tag, content: contentOf(name, tag, checked.value), words: wordsOf(name, checked.said) }
}

/** Metadata as the log keeps it. */
export function wordsOf(name: string, said: Metadata | undefined): Buffer | undefined {
  if (said === undefined) return undefined
  try {
    return serialize(pack(said))
  } catch (cause) {
    const text = `the metadata of ${name} cannot be kept: ${String(cause)}`
    throw new BeamlineError('NOT_CLONEABLE', text, { cause, details: { name } })
  }
}
