import type { Pid, Ref } from '../../threads/pid.js'
import type { Key } from '../registry/key.js'

/** What the process of groups is asked, by calls. */
export type GroupsRequest =
  | { readonly kind: 'join' | 'leave'; readonly group: Key; readonly pids: readonly Pid[] }
  | { readonly kind: 'members'; readonly group: Key }
  | { readonly kind: 'groups' }
  | { readonly kind: 'subscribe'; readonly group?: Key }
  | { readonly kind: 'unsubscribe'; readonly ref: Ref }

/** A process in a group. */
export interface Member {
  readonly group: Key
  readonly pid: Pid
}

/** What subscribers hear; `leave` also when the member has died. */
export interface GroupEvent extends Member {
  readonly type: 'join' | 'leave'
  /** Names the subscription. */
  readonly ref: Ref
}

/** Who is in when a subscription begins; what comes after it are events. */
export interface GroupSubscription {
  readonly ref: Ref
  readonly members: readonly Member[]
}
