import { types } from 'node:util'
import { Deserializer, Serializer } from 'node:v8'
import { corrupt } from './value-form.js'

/**
 * Any value that `pack` made ready, in bytes, as `postMessage` would write them: V8's own serializer, without Node's
 * variant of it that takes views for objects of its own and loses which of them share a buffer. `undefined` for what only
 * a port carries, such as shared memory, and for what no port carries either, which it refuses with the reason.
 */
export function encodeGeneral(value: unknown): Uint8Array | undefined {
  try {
    if (!isSerializable(value, new Set())) return undefined
    const serializer = new Serializer()
    serializer.writeHeader()
    serializer.writeValue(value)
    return serializer.releaseBuffer()
  } catch {
    return undefined
  }
}

/** What {@link encodeGeneral} wrote. @throws BeamlineError CORRUPT */
export function decodeGeneral(bytes: Uint8Array): unknown {
  try {
    const deserializer = new Deserializer(bytes)
    deserializer.readHeader()
    return deserializer.readValue()
  } catch (cause) {
    throw corrupt('No value', bytes.byteOffset, cause)
  }
}

/**
 * Whether V8 alone can write `value`. It does not always know that it cannot: since Node 21 it would make an empty object
 * of a Blob.
 */
function isSerializable(value: unknown, met: Set<object>): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (met.has(value)) return true
  met.add(value)
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object' && !isSerializable(item, met)) return false
    return true
  }
  if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const key in value) if (!isSerializable((value as Record<string, unknown>)[key], met)) return false
    return true
  }
  if (types.isMap(value)) {
    for (const [key, part] of value) if (!isSerializable(key, met) || !isSerializable(part, met)) return false
    return true
  }
  if (types.isSet(value)) {
    for (const part of value) if (!isSerializable(part, met)) return false
    return true
  }
  const memory = ArrayBuffer.isView(value) ? value.buffer : value
  return types.isArrayBuffer(memory) || types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value)
}
