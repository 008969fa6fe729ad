import { BeamlineError } from '../../errors.js'
import { type Foreign, isForeign } from '../../variables/types/foreign.js'
import { compileValidator } from '../../variables/types/index.js'
import { isPlainObject, type Parse } from '../../variables/types/refusal.js'
import { type TypeName, typeNames } from '../../variables/types/value-types.js'
import type { Any } from '../gen/google/protobuf/any.js'
import { NoJson, readJson, writeJson } from './json-text.js'
import { foreignOf, withSpecials } from './native-value.js'
import { dtypes, readNumbers } from './numbers.js'

const prefix = 'type.googleapis.com/snakepit.'
const stringValueUrl = 'type.googleapis.com/google.protobuf.StringValue'
const empty = Buffer.alloc(0)

/** What a type URL says of a value. */
interface UrlType {
  readonly type: string
  /** The content is beside, in bytes; the value only describes it. */
  readonly isBinary: boolean
}

/** `…/snakepit.<type>`, or the older `dspex.variables/<type>`. */
export function typeOfUrl(url: string): UrlType {
  const at = url.lastIndexOf('snakepit.')
  const word = at < 0 ? url.slice(url.lastIndexOf('/') + 1) : url.slice(at + 'snakepit.'.length)
  const isBinary = word.endsWith('.binary')
  return { type: isBinary ? word.slice(0, -'.binary'.length) : word, isBinary }
}

/** The types that a value can be said to have, and what reads it: those of variables, without constraints. */
const parsers: ReadonlyMap<string, Parse | undefined> = new Map([
  ...typeNames.map((type) => [type, type === 'json' ? undefined : compileValidator('value', type).parse] as const),
  ['map', undefined],
  ['list', undefined],
])

/** The built-in type that a client means by the type it gives a new variable. */
export function baseOfType(type: string): TypeName {
  if (type === 'map' || type === 'list') return 'json'
  const base = typeNames.find((name) => name === type)
  if (base === undefined) throw invalid(`Unknown type: ${type}`)
  return base
}

/**
 * The value that a client sends for a variable, read by what its URL says; the variable's own type still has to accept it.
 * @param bytes what is sent beside it
 * @throws BeamlineError INVALID_TYPE
 */
export function decodeAny(packed: Any | undefined, bytes: Uint8Array | undefined, base: TypeName): unknown {
  if (packed === undefined || (packed.typeUrl === '' && packed.value.length === 0))
    throw invalid('the value is missing')
  const { type, isBinary } = typeOfUrl(packed.typeUrl)
  if (!parsers.has(type)) throw invalid('unknown_type')
  if (isBinary) return decodeBinary(type, textOf(packed.value), bytes, base)
  const text = textOf(packed.value)
  if (type === 'boolean' || base === 'boolean') return booleanOf(text)
  const value = parsed(text, type === 'embedding' || type === 'tensor')
  // An integer that is called a float is still exact for a variable that holds integers.
  if (type === base || typeof value === 'bigint') return value
  const parse = parsers.get(type)
  return parse === undefined ? value : parse('value', value)
}

/** That a value is of a type, whatever constraints there are. @throws BeamlineError INVALID_TYPE */
export function assertType(value: unknown, base: TypeName): void {
  parsers.get(base)?.('value', value)
}

/** 1.0 is none, which no parser of JSON can tell from 1. */
function booleanOf(text: string): boolean {
  parsed(text, false)
  const word = text.trim()
  if (word === 'true' || word === '"true"' || word === '1') return true
  if (word === 'false' || word === '"false"' || word === '0') return false
  throw invalid('must be a boolean (true or false)')
}

function decodeBinary(type: string, headerJson: string, bytes: Uint8Array | undefined, base: TypeName): unknown {
  if (type !== 'embedding' && type !== 'tensor') throw invalid('unknown_type')
  if (type !== base)
    throw invalid(`must be ${base === 'tensor' ? 'a tensor' : `of the type ${base}`}, got the bytes of a ${type}`)
  if (bytes === undefined || bytes.length === 0) throw invalid(`the bytes of the ${type} are missing`)
  const foreign = foreignOf(headerJson, bytes)
  return foreign.header['binary_format'] === 'raw' ? decodeRaw(type, foreign) : foreign
}

/** Numbers of a kind that numpy knows, little-endian, row-major. */
function decodeRaw(type: 'embedding' | 'tensor', { header, bytes }: Foreign): unknown {
  const { dtype = 'float64', shape } = header
  if (typeof dtype !== 'string' || !dtypes.includes(dtype))
    throw invalid(`the dtype of raw bytes must be one of ${dtypes.join(', ')}`)
  const numbers = readNumbers(bytes, dtype)
  if (type === 'tensor' && !Array.isArray(shape)) throw invalid('must be a tensor with shape and data')
  const sizes = Array.isArray(shape) ? (shape as unknown[]).map(Number) : [numbers?.length ?? 0]
  if (numbers === undefined || numbers.length !== sizes.reduce((product, size) => product * size, 1))
    throw invalid("data size doesn't match shape")
  return type === 'embedding' ? numbers : { shape, data: numbers }
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw invalid('the value is no JSON: it is not UTF-8')
  }
}

/**
 * What Python writes of a float that is none, and a string, in which the same means nothing: one that does not end, too, so
 * that no text is looked through twice.
 */
const bareSpecial = /"[^"\\]*(?:\\[\s\S][^"\\]*)*"?|-?\b(?:NaN|Infinity)\b/g

/** @param isNumbers whether there may be other numbers in it than JSON's */
function parsed(text: string, isNumbers: boolean): unknown {
  try {
    if (!isNumbers || !/NaN|Infinity/.test(text)) return readJson(text)
    const value = readJson(text.replace(bareSpecial, (token) => (token.startsWith('"') ? token : `"${token}"`)))
    return isPlainObject(value) ? { ...value, data: withSpecials(value['data']) } : withSpecials(value)
  } catch (error) {
    if (error instanceof BeamlineError) throw error
    throw invalid('the value is no JSON')
  }
}

/** A variable's value as these clients see it. */
export interface Shown {
  /** One of the types they know. */
  readonly type: string
  readonly value: Any
  readonly bytes: Buffer
}

/** The value of a variable, under the variable's own type. */
export function encodeAny(value: unknown, base: TypeName): Shown {
  if (isForeign(value)) {
    const header = value.spelled ?? writeJson(value.header)
    return { type: base, value: anyOf(`${base}.binary`, header), bytes: Buffer.from(value.bytes) }
  }
  const type = base === 'json' ? shownType(value) : base
  return { type, value: anyOf(type, textFor(value, base)), bytes: empty }
}

function textFor(value: unknown, base: TypeName): string {
  if (base === 'float' || base === 'embedding' || base === 'tensor') return floats(value)
  const text = writeJson(value, 'strings')
  const isShownAsText = base === 'json' && (typeof value !== 'object' || value === null) && typeof value !== 'string'
  return isShownAsText ? writeJson(text) : text
}

/** JSON is more than these clients have types for: what is none of theirs is shown as its text. */
function shownType(value: unknown): 'map' | 'list' | 'string' {
  if (Array.isArray(value)) return 'list'
  return typeof value === 'object' && value !== null ? 'map' : 'string'
}

/** As readers take it for floats who know integers from floats by their spelling. */
function floats(value: unknown): string {
  if (typeof value === 'number') return float(value)
  if (Array.isArray(value)) return `[${value.map(floats).join()}]`
  if (!isPlainObject(value)) return writeJson(value, 'strings')
  const { data, ...rest } = value
  const parts = Object.keys(value).map((key) => {
    const text = key === 'data' ? floats(data) : writeJson(rest[key], 'strings')
    return `${JSON.stringify(key)}:${text}`
  })
  return `{${parts.join()}}`
}

function float(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  const text = Object.is(value, -0) ? '-0' : String(value)
  return Number.isInteger(value) && !text.includes('e') ? `${text}.0` : text
}

/** What a tool is given: a typed value, or bare JSON, or else a text. */
export function decodeParameter(packed: Any, bytes?: Uint8Array): unknown {
  const { type, isBinary } = typeOfUrl(packed.typeUrl)
  if (isBinary && (type === 'embedding' || type === 'tensor')) return decodeAny(packed, bytes, type)
  if (parsers.has(type)) {
    const base = type === 'map' || type === 'list' ? 'json' : (type as TypeName)
    const value = decodeAny(packed, bytes, base)
    const parse = parsers.get(type)
    return parse === undefined ? value : parse('value', value)
  }
  const text = textOf(packed.value)
  try {
    return readJson(text)
  } catch {
    return text
  }
}

/** What a tool of the host answers. @throws BeamlineError INVALID_TYPE for what is no JSON */
export function encodeResult(value: unknown): Any {
  return { typeUrl: stringValueUrl, value: Buffer.from(jsonOf(value)) }
}

/** @throws BeamlineError INVALID_TYPE for what is no JSON */
export function jsonOf(value: unknown): string {
  try {
    return writeJson(value ?? null, 'strings')
  } catch (error) {
    if (error instanceof NoJson) throw invalid(error.message)
    throw error
  }
}

const anyOf = (type: string, text: string): Any => ({ typeUrl: prefix + type, value: Buffer.from(text) })

const invalid = (reason: string) => new BeamlineError('INVALID_TYPE', reason, { details: { reason } })
