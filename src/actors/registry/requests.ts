import type { Pid } from '../../threads/pid.js'
import type { SharedMapMemory } from '../../threads/shared-map.js'
import type { Enrolment } from '../naming.js'
import type { Key } from './key.js'

/** What a registry is asked, by calls. A value lies as deep in its request as in an answer: what comes in gets out. */
export type RegistryRequest =
  | Enrolment
  | { readonly kind: 'lookup'; readonly key: Key }
  | { readonly kind: 'entries'; readonly pid: Pid | undefined }
  | { readonly kind: 'keys'; readonly pid: Pid | undefined }
  | { readonly kind: 'count'; readonly key?: Key }
  /** The caller's own entries under a key. */
  | { readonly kind: 'own'; readonly key: Key }
  /** Drops those of the caller's own entries. */
  | { readonly kind: 'drop'; readonly key: Key; readonly ids: readonly number[] }
  /** Gives the caller's own entry another value, unless it has had one since. */
  | { readonly kind: 'write'; readonly key: Key; readonly entry: OwnEntry }
  | { readonly kind: 'meta'; readonly key: string }
  | { readonly kind: 'put-meta'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'facts' }

/** An entry as its owner sees it. */
export interface OwnEntry {
  readonly id: number
  readonly version: number
  readonly value: unknown
}

/** What a handle knows of its registry. */
export interface RegistryFacts {
  readonly keys: 'unique' | 'duplicate'
  /** Who holds which key; of a unique registry. */
  readonly table: SharedMapMemory | undefined
}

/** What a registry is made with. */
export interface RegistryArgs {
  readonly keys: 'unique' | 'duplicate'
  readonly listeners: readonly (Pid | string)[]
  readonly metadata: Readonly<Record<string, unknown>>
  /** Whether the parent is linked, so that its death ends the registry. */
  readonly linked: boolean
}
