/**
 * All there is to a value that structured clone can make, in words: the sign of zero, the order of keys, holes, which parts
 * are one and the same object, the buffers behind views. Two values with the same transcript cannot be told apart.
 */
export function transcript(value: unknown, met: Map<object, number> = new Map()): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  const before = met.get(value)
  if (before !== undefined) return `#${before}`
  met.set(value, met.size)
  const write = (part: unknown): string => transcript(part, met)
  const kind = Object.getPrototypeOf(value)?.constructor.name
  return `${kind}(${insideOf(value, write).join()}){${ownParts(value, write).join()}}`
}

function insideOf(value: object, write: (part: unknown) => string): string[] {
  if (Array.isArray(value)) return [write(value.length)]
  if (value instanceof Map) return [...value].flat().map(write)
  if (value instanceof Set) return [...value].map(write)
  if (value instanceof Date) return [write(value.getTime())]
  if (value instanceof RegExp) return [String(value), write(value.lastIndex)]
  if (ArrayBuffer.isView(value)) return [write(value.byteOffset), write(value.byteLength), write(value.buffer)]
  if (value instanceof ArrayBuffer) return [Buffer.from(value).toString('hex')]
  return [Number, String, Boolean, BigInt].some((box) => value instanceof box) ? [write(value.valueOf())] : []
}

function ownParts(value: object, write: (part: unknown) => string): string[] {
  if (ArrayBuffer.isView(value) || value instanceof String) return []
  return Object.entries(value).map(([key, part]) => `${write(key)}:${write(part)}`)
}
