import type { MessagePort } from 'node:worker_threads'
import { type Endpoint, expose, wrap } from 'comlink'
import { moved, type Payload, pack, unpack } from '../../threads/payload.js'
import type { Pid } from '../../threads/pid.js'
import type { Change } from '../change.js'

/** The methods of a context whose arguments and answers are data. */
export const methods = [
  'get',
  'getMany',
  'set',
  'updateMany',
  'describe',
  'list',
  'delete',
  'history',
  'rollback',
] as const
export type Method = (typeof methods)[number]

/** What the foreign thread asks. */
export type DoorRequest =
  | { readonly kind: 'context'; readonly to: string | Pid }
  | { readonly kind: 'ask'; readonly context: Pid; readonly method: Method; readonly args: readonly unknown[] }
  | { readonly kind: 'define' | 'put'; readonly context: Pid; readonly args: readonly unknown[] }
  | {
      readonly kind: 'watch'
      readonly context: Pid
      /** The foreign thread's number of the watch. */
      readonly watch: number
      readonly names: readonly string[]
      readonly options: { readonly includeInitial?: boolean; readonly sinceRevision?: number }
    }
  | { readonly kind: 'unwatch'; readonly watch: number }

/** What the foreign thread is told. */
export type DoorNews =
  | { readonly kind: 'changed'; readonly watch: number; readonly change: Change }
  | { readonly kind: 'ended'; readonly watch: number; readonly error: unknown }
  /** The last news. */
  | { readonly kind: 'closed'; readonly error: unknown }

/** What became of a request. */
export type Outcome = { readonly value: unknown } | { readonly error: unknown }

/** The system's side, as the foreign one calls it. */
export interface Inside {
  ask(request: Payload): Promise<Payload>
}

/** The foreign side, as the system's one calls it. */
export interface Outside {
  tell(news: Payload): void
}

/**
 * A value as it goes through a door: packed, as between the system's own threads, so that pids stay pids and errors keep
 * their code, whatever transfer handlers the program gave Comlink for its own use, as those are global.
 * @throws BeamlineError NOT_CLONEABLE
 */
export const sealed = (value: DoorRequest | DoorNews | Outcome): Payload => moved(pack(value)) as Payload

export const opened = (payload: Payload): unknown => unpack(payload)

/**
 * Offers `mine` at this end of a port and answers a caller for what the other end offers. One port for both ways: what is
 * said on it arrives in the order in which it was said. Whoever uses the caller must hold it while a call is under way,
 * as Comlink takes leave of the other end when it is collected.
 */
export function connect<Mine extends object, Theirs>(port: MessagePort, mine: Mine) {
  const endpoint = port as unknown as Endpoint
  const theirs = wrap<Theirs>(endpoint)
  expose(mine, endpoint)
  return theirs
}
