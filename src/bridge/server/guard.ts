import type { Metadata } from '@grpc/grpc-js'

/** What a caller may do with a session. */
export type Permission = 'read' | 'write' | 'observe' | 'optimize'

/** Who calls, as far as a token says. */
export interface Caller {
  /** The same for all calls with one token, and for no others; empty where there are none. */
  readonly key: string
  /** @throws BeamlineError PERMISSION_DENIED; the same words whether there is such a session or not */
  require(session: string, permission: Permission): void
}

/** Who may call. */
export interface Guard {
  /** @throws BeamlineError UNAUTHENTICATED */
  admit(metadata: Metadata): Caller
}
