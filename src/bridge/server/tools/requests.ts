import type { ToolSpec } from './tool-spec.js'

/** What the process of the host's tools is asked, by call. */
export type ToolRequest =
  /** Answered with a list of {@link ToolSpec}. */
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

/** What it is told, by cast: nobody waits for an answer any more. */
export interface ToolMessage {
  readonly kind: 'cancel'
  readonly id: string
}

export type ToolAnswer =
  /** JSON. */
  | { readonly kind: 'value'; readonly json: string }
  /** Its parts come by `next`. */
  | { readonly kind: 'stream' }
  | { readonly kind: 'end' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed'; readonly message: string }

export type ToolList = readonly ToolSpec[]
