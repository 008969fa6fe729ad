import { endianness } from 'node:os'

const isLittle = endianness() === 'LE'

/** Numbers as little-endian doubles. */
export function writeDoubles(numbers: ArrayLike<number>): Buffer {
  const bytes = Buffer.allocUnsafeSlow(8 * numbers.length)
  if (isLittle) new Float64Array(bytes.buffer).set(numbers)
  else for (let at = 0; at < numbers.length; at++) bytes.writeDoubleLE(numbers[at] as number, 8 * at)
  return bytes
}

type Read = (bytes: DataView, at: number) => number

const readers: Readonly<Record<string, { readonly size: number; readonly read: Read }>> = {
  float64: { size: 8, read: (bytes, at) => bytes.getFloat64(at, true) },
  float32: { size: 4, read: (bytes, at) => bytes.getFloat32(at, true) },
  float16: { size: 2, read: (bytes, at) => halfOf(bytes.getUint16(at, true)) },
  int64: { size: 8, read: (bytes, at) => Number(bytes.getBigInt64(at, true)) },
  int32: { size: 4, read: (bytes, at) => bytes.getInt32(at, true) },
  int16: { size: 2, read: (bytes, at) => bytes.getInt16(at, true) },
  int8: { size: 1, read: (bytes, at) => bytes.getInt8(at) },
  uint64: { size: 8, read: (bytes, at) => Number(bytes.getBigUint64(at, true)) },
  uint32: { size: 4, read: (bytes, at) => bytes.getUint32(at, true) },
  uint16: { size: 2, read: (bytes, at) => bytes.getUint16(at, true) },
  uint8: { size: 1, read: (bytes, at) => bytes.getUint8(at) },
  bool: { size: 1, read: (bytes, at) => (bytes.getUint8(at) === 0 ? 0 : 1) },
}

/** The names of the kinds of numbers that {@link readNumbers} knows. */
export const dtypes = Object.keys(readers)

/** Little-endian numbers of a kind that numpy knows by `dtype`. @returns `undefined` for bytes that are no whole numbers */
export function readNumbers(bytes: Uint8Array, dtype = 'float64'): number[] | undefined {
  const reader = Object.hasOwn(readers, dtype) ? readers[dtype] : undefined
  if (reader === undefined || bytes.byteLength % reader.size !== 0) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const numbers = new Array<number>(bytes.byteLength / reader.size)
  for (let at = 0; at < numbers.length; at++) numbers[at] = reader.read(view, at * reader.size)
  return numbers
}

function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

/** A flat list, row-major, nested as `shape` says. */
export function nest(numbers: readonly number[], shape: readonly number[]): unknown {
  let level: readonly unknown[] = numbers
  for (const size of shape.slice(1).reverse()) {
    const next: unknown[] = []
    for (let at = 0; at < level.length; at += size) next.push(level.slice(at, at + size))
    level = next
  }
  return level
}

/** The numbers of a list that is nested exactly as `shape` says, row-major; `undefined` of any other. */
export function flatten(list: unknown, shape: readonly number[]): number[] | undefined {
  const numbers: number[] = []
  const walk = (part: unknown, depth: number): boolean => {
    if (depth === shape.length) return typeof part === 'number' && numbers.push(part) > 0
    return Array.isArray(part) && part.length === shape[depth] && part.every((inner) => walk(inner, depth + 1))
  }
  return walk(list, 0) ? numbers : undefined
}
