import type { Keepsake } from './keepsakes.js'
import type { ToolSpec } from './tool-spec.js'

/** What the process of the host's tools is asked, by call. */
export type ToolRequest =
  /** Answered with a {@link ToolList}. */
  | { readonly kind: 'list' }
  /** Answered with a {@link ToolAnswer}. */
  | {
      readonly kind: 'run'
      /** The caller's own, for `next` and `cancel`. */
      readonly id: string
      readonly tool: string
      readonly session: string
      readonly parameters: Readonly<Record<string, unknown>>
      readonly metadata: Readonly<Record<string, string>>
      /** Whether it may be answered in parts. Else only the last of them is told. */
      readonly streaming: boolean
    }
  /** Answered with a {@link ToolAnswer}, the next part of a stream. */
  | { readonly kind: 'next'; readonly id: string }
  /** Answered with all {@link KeptIn} sessions. */
  | { readonly kind: 'kept' }

/** What it is told, by cast. */
export type ToolMessage =
  /** Nobody waits for an answer any more. */
  | { readonly kind: 'cancel'; readonly id: string }
  /** In the place of what has the same key. */
  | {
      readonly kind: 'keep'
      readonly session: string
      readonly createdAt: number
      readonly key: string
      readonly keepsake: Keepsake
    }
  | { readonly kind: 'forget'; readonly session: string; readonly createdAt: number }

export type ToolAnswer =
  /** JSON. */
  | { readonly kind: 'value'; readonly json: string }
  /** Its parts come by `next`. */
  | { readonly kind: 'stream' }
  | { readonly kind: 'end' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly message: string }

export type ToolList = readonly ToolSpec[]

/** What is kept of one session. */
export interface KeptIn {
  readonly session: string
  readonly createdAt: number
  readonly keepsakes: readonly Keepsake[]
}
