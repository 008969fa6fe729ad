// STUB: replaced by the codec
import { deserialize, serialize } from 'node:v8'
export function encodeGeneral(value: unknown): Uint8Array | undefined {
  try {
    return serialize(value)
  } catch {
    return undefined
  }
}
export function decodeGeneral(bytes: Buffer): unknown {
  return deserialize(bytes)
}
