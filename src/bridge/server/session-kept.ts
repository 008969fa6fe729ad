import type { Ref } from '../../threads/pid.js'
import type { Context } from '../../variables/context.js'
import type { StoredSession } from './session-store.js'
import type { Movement } from './session-upkeep.js'

/** One session, from before its context runs until that has ended. */
export interface Kept {
  readonly uid: string
  readonly id: string
  readonly createdAt: number
  readonly metadata: Readonly<Record<string, string>>
  context: Context | undefined
  monitor: Ref | undefined
  /** By the clock of the system. */
  usedAt: number
  readonly movement: Movement
  /** It is being found out whether it is in use. */
  look: Promise<void> | undefined
  /** Settles when the context runs; rejects when it does not come to that. */
  begun: Promise<void>
  /** Settles when it has ended, once that has been asked for. */
  ending: Promise<void> | undefined
}

/** What the system of the server knows its context by: others of it may live in the session, or have lived. */
export const keyOf = ({ uid, id }: Pick<Kept, 'uid' | 'id'>): string => `${id}@${uid}`

export function storedOf({ uid, id, createdAt, metadata, context }: Kept): StoredSession {
  return { uid, id, createdAt, metadata, pid: (context as Context).pid }
}
