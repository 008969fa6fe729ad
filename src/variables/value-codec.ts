import { serialize } from 'node:v8'
import { BeamlineError } from '../errors.js'

/** How a value stands in shared memory; from `ascii` on its content is bytes. */
export type Tag = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8

export const absent = 0
export const numeric = 1
export const yes = 2
export const no = 3
export const nothing = 4
export const missing = 5
export const ascii = 6
export const utf16 = 7
export const structured = 8

export function tagOf(value: unknown): Tag {
  if (typeof value === 'number') return numeric
  if (typeof value === 'boolean') return value ? yes : no
  if (value === null) return nothing
  if (value === undefined) return missing
  if (typeof value !== 'string') return structured
  return isAscii(value) ? ascii : utf16
}

/** Up to this length a look at each character costs less than a call into the engine. */
const short = 32

function isAscii(text: string): boolean {
  if (text.length > short) return Buffer.byteLength(text) === text.length
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) return false
  return true
}

/** What is written of a value: the value itself, or an object's bytes. @throws BeamlineError NOT_CLONEABLE */
export function contentOf(name: string, tag: Tag, value: unknown): unknown {
  if (tag !== structured) return value
  try {
    return serialize(value)
  } catch (error) {
    const text = `the value of ${name} cannot be shown to other threads: ${String(error)}`
    throw new BeamlineError('NOT_CLONEABLE', text, { cause: error, details: { name } })
  }
}

/** The bytes of a content. */
export function sizeOf(tag: Tag, content: unknown): number {
  if (tag < ascii) return 0
  return (content as string | Buffer).length * (tag === utf16 ? 2 : 1)
}

export function writeBytes(data: Buffer, offset: number, tag: Tag, content: unknown): void {
  if (tag === structured) data.set(content as Buffer, offset)
  else if (tag === utf16) data.write(content as string, offset, 'utf16le')
  else writeAscii(data, offset, content as string)
}

function writeAscii(data: Buffer, offset: number, text: string): void {
  if (text.length > short) data.write(text, offset, 'latin1')
  else for (let at = 0; at < text.length; at++) data[offset + at] = text.charCodeAt(at)
}

/** A value that is no number and has no bytes. */
export const constantOf = (tag: Tag): unknown =>
  tag === nothing ? null : tag === yes || tag === no ? tag === yes : undefined

/** A string is stored so that reading one is a plain copy too: UTF-8 is decoded in two passes, and the second trusts the first. */
export const textOf = (data: Buffer, offset: number, bytes: number, tag: Tag): string =>
  data.toString(tag === ascii ? 'latin1' : 'utf16le', offset, offset + bytes)
