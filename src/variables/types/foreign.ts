import { copyJson } from './json.js'
import { isPlainObject } from './refusal.js'

/**
 * An embedding or tensor in a form that only its writer reads, such as another language's own serialization: it is stored
 * and handed back as it is, and never looked into, so that no constraint is checked.
 */
export interface Foreign {
  /** What its writer says of it: `binary_format`, `shape`, `dtype`; plain JSON. */
  readonly header: Readonly<Record<string, unknown>>
  readonly bytes: Uint8Array
  /** The header as its writer spelled it, where `header` alone would be spelled otherwise. */
  readonly spelled?: string
}

/** For itself: nothing its writer does to it later is seen. */
export function copyForeign({ header, bytes, spelled }: Foreign): Foreign {
  const copy = { header: copyJson(header) as Foreign['header'], bytes: new Uint8Array(bytes) }
  return spelled === undefined ? copy : { ...copy, spelled }
}

const keys: readonly string[] = ['header', 'bytes', 'spelled']

export function isForeign(value: unknown): value is Foreign {
  if (!isPlainObject(value) || !Object.keys(value).every((key) => keys.includes(key))) return false
  const { header, bytes, spelled } = value
  return isPlainObject(header) && bytes instanceof Uint8Array && (spelled === undefined || typeof spelled === 'string')
}
