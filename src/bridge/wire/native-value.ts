import { BeamlineError } from '../../errors.js'
import { isNumberList } from '../../variables/types/embedding.js'
import { type Foreign, isForeign } from '../../variables/types/foreign.js'
import { isPlainObject } from '../../variables/types/refusal.js'
import type { TypeName } from '../../variables/types/value-types.js'
import type * as wire from '../gen/snakepit/bridge/watch/v1/watch.js'
import { NoJson, readJson, writeJson } from './json-text.js'
import { flatten, nest, readNumbers, writeDoubles } from './numbers.js'

const halfAPair = /\p{Surrogate}/u
/** As a tensor's validator has it. */
const rankLimit = 64

/**
 * A value as the native service carries it. What it is decides, not the variable it is for: so it may be one that the
 * variable's type refuses.
 * @throws BeamlineError INVALID_TYPE for a value that no variable can hold
 */
export function toValue(value: unknown): wire.Value {
  switch (typeof value) {
    case 'undefined':
      return { kind: undefined }
    case 'number':
      return { kind: { $case: 'number', value } }
    case 'boolean':
      return { kind: { $case: 'flag', value } }
    case 'bigint':
      return { kind: { $case: 'integer', value: String(value) } }
    case 'string':
      // Half a surrogate pair has no UTF-8.
      return halfAPair.test(value) ? json(value) : { kind: { $case: 'text', value } }
    default:
      return toCompound(value)
  }
}

function toCompound(value: unknown): wire.Value {
  if (isForeign(value)) {
    const headerJson = value.spelled ?? writeJson(value.header)
    return { kind: { $case: 'foreign', value: { headerJson, data: asBuffer(value.bytes) } } }
  }
  const raw = isNumberList(value) ? embeddingOf(value) : isPlainObject(value) ? tensorOf(value) : undefined
  return raw === undefined ? json(value) : { kind: { $case: 'raw', value: raw } }
}

function embeddingOf(list: ArrayLike<unknown>): wire.Raw | undefined {
  for (let at = 0; at < list.length; at++) if (typeof list[at] !== 'number') return undefined
  return { shape: [list.length], data: writeDoubles(list as ArrayLike<number>), nested: false, restJson: '' }
}

/** Only of one whose parts stand in the order in which they are put together again. */
function tensorOf(value: Readonly<Record<string, unknown>>): wire.Raw | undefined {
  const [first, second] = Object.keys(value)
  if (first !== 'shape' || second !== 'data') return undefined
  const { shape, data, ...rest } = value
  if (!isShape(shape)) return undefined
  const flat = flatten(data, [shape.reduce((product, size) => product * size, 1)])
  const isNested = flat === undefined && isNestable(shape)
  const numbers = isNested ? flatten(data, shape) : flat
  if (numbers === undefined) return undefined
  return { shape: [...shape], data: writeDoubles(numbers), nested: isNested, restJson: textOf(rest) }
}

function isShape(shape: unknown): shape is number[] {
  if (!Array.isArray(shape) || shape.length > rankLimit) return false
  return shape.every((size) => Number.isInteger(size) && size >= 0 && size < 2 ** 32)
}

const isNestable = (shape: readonly number[]) => shape.length > 1 && !shape.includes(0)

function json(value: unknown): wire.Value {
  return { kind: { $case: 'json', value: textOf(value) } }
}

function textOf(value: unknown): string {
  try {
    return writeJson(value, holdsNumbers(value) ? 'strings' : 'refuse')
  } catch (error) {
    if (!(error instanceof NoJson)) throw error
    throw new BeamlineError('INVALID_TYPE', `the value cannot be sent: it ${error.message}`, {
      details: { reason: error.message },
    })
  }
}

/** Whether it may be an embedding or tensor, in which there may be other numbers than JSON's. */
const holdsNumbers = (value: unknown) => isNumberList(value) || (isPlainObject(value) && isNumberList(value['data']))

/**
 * @param base the type of the variable that it is for, where it is known
 * @throws BeamlineError INVALID_TYPE for what is malformed
 */
export function fromValue(value: wire.Value | undefined, base?: TypeName): unknown {
  const kind = value?.kind
  switch (kind?.$case) {
    case 'number':
    case 'text':
    case 'flag':
      return kind.value
    case 'integer':
      return fromDigits(kind.value)
    case 'json':
      return fromJson(kind.value, base)
    case 'raw':
      return fromRaw(kind.value)
    case 'foreign':
      return foreignOf(kind.value.headerJson, kind.value.data)
    default:
      return undefined
  }
}

function fromDigits(digits: string): bigint {
  if (!/^-?\d+$/.test(digits)) throw malformed('an integer must be written in digits')
  return BigInt(digits)
}

function fromJson(text: string, base: TypeName | undefined): unknown {
  const value = parsed(text)
  if (base === 'embedding') return withSpecials(value)
  if (base !== 'tensor' || !isPlainObject(value)) return value
  return { ...value, data: withSpecials(value['data']) }
}

/** With the numbers of which JSON made strings. */
export function withSpecials(part: unknown, depth = 0): unknown {
  if (Array.isArray(part)) return depth > rankLimit ? part : part.map((inner) => withSpecials(inner, depth + 1))
  return part === 'NaN' || part === 'Infinity' || part === '-Infinity' ? Number(part) : part
}

function fromRaw({ shape, data, nested, restJson }: wire.Raw): unknown {
  const numbers = readNumbers(data)
  const isWhole = shape.length <= rankLimit && numbers?.length === shape.reduce((product, size) => product * size, 1)
  if (numbers === undefined || !isWhole) throw malformed("data size doesn't match shape")
  if (restJson === '') return numbers
  if (nested && !isNestable(shape)) throw malformed(`nothing can be nested as [${shape.join(', ')}]`)
  const rest = parsed(restJson)
  if (!isPlainObject(rest)) throw malformed('what a tensor has beside its numbers must be an object')
  return { shape, data: nested ? nest(numbers, shape) : numbers, ...rest }
}

/** @throws BeamlineError INVALID_TYPE for a header that is no JSON object */
export function foreignOf(headerJson: string, data: Uint8Array): Foreign {
  const header = parsed(headerJson)
  if (!isPlainObject(header)) throw malformed('the header of a binary value must be a JSON object')
  // Of its own, not a view of the message it came in.
  const bytes = new Uint8Array(data)
  return writeJson(header) === headerJson ? { header, bytes } : { header, bytes, spelled: headerJson }
}

function parsed(text: string): unknown {
  try {
    return readJson(text)
  } catch {
    throw malformed('the value is no JSON')
  }
}

const malformed = (reason: string) => new BeamlineError('INVALID_TYPE', reason, { details: { reason } })

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
