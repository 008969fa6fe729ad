import type { MessagePort } from 'node:worker_threads'
import type { From } from '../actors/messages.js'
import type { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import type { Seen } from './feed-start.js'
import type { Release } from './lease.js'
import type { Definition, Write } from './state.js'
import type { Home } from './upstream.js'

/** What a context is told, by cast. */
export type ContextMessage =
  | { readonly kind: 'put'; readonly write: Write }
  /** A watch of the context's process before this one, whose thread has died, goes on here. */
  | { readonly kind: 'resume'; readonly watch: Resumption }
  /** Nothing more is to be told to a copy. */
  | { readonly kind: 'unfeed'; readonly to: Pid }
  /** Post the facts on `port`, then raise `flag`: somebody waits for them without turning its event loop. */
  | { readonly kind: 'facts'; readonly port: MessagePort; readonly flag: SharedArrayBuffer }

/** What a context is asked, by call. */
export type ContextRequest =
  | { readonly kind: 'open' }
  | { readonly kind: 'define'; readonly definition: Definition }
  | { readonly kind: 'set'; readonly write: Write }
  | { readonly kind: 'set-many'; readonly writes: readonly Write[]; readonly atomic: boolean }
  | { readonly kind: 'get'; readonly names: readonly string[] }
  | { readonly kind: 'describe'; readonly name: string }
  | { readonly kind: 'list'; readonly pattern: string }
  | { readonly kind: 'delete'; readonly name: string }
  | { readonly kind: 'history'; readonly name: string; readonly limit: number }
  | { readonly kind: 'rollback'; readonly name: string; readonly version: number }
  | { readonly kind: 'lease'; readonly name: string; readonly holder: string }
  | { readonly kind: 'release'; readonly name: string; readonly how: Release }
  | { readonly kind: 'watch'; readonly watch: WatchRequest }
  | { readonly kind: 'watchers' }
  /** Every commit from now on is to be told to a copy. */
  | { readonly kind: 'feed'; readonly to: Pid; readonly seen: Seen | undefined }
  /** The state goes on in a session behind a bridge. */
  | { readonly kind: 'move'; readonly home: Home }
  | { readonly kind: 'stop' }

/** A watch to be begun. */
export interface WatchRequest {
  readonly ref: Ref
  readonly owner: Pid
  /** The relay of the watching thread, which gets the changes. */
  readonly relay: Pid
  readonly names: readonly string[]
  readonly includeInitial: boolean
  readonly sinceRevision: number | undefined
  /** Where the context has only what came later: the changes up to a revision. */
  readonly past?: { readonly through: number; readonly changes: readonly Change[] }
}

/** A watch that goes on after a revision that it has seen. */
export interface Resumption {
  readonly ref: Ref
  readonly owner: Pid
  readonly relay: Pid
  /** The variables it watches, by their ids. */
  readonly ids: readonly string[]
  readonly since: number
}

/** Changes that cannot be told any more, as `onResync` hears of them. */
export interface Lost {
  readonly reason: string
  readonly lostFrom: number
  readonly lostTo: number
}

/** An observer as its manager knows it. */
export interface Observer {
  readonly ref: Ref
  readonly owner: Pid
  readonly relay: Pid
  /** The context it watches; undefined for one that was added by hand. */
  readonly context: Pid | undefined
  /** Variable ids, and the names they had when the watch began. */
  readonly variables: readonly { readonly id: string; readonly name: string }[]
}

/** The answer to somebody's call, given by another process once it has done its part. */
export interface Answer {
  readonly from: From
  readonly value: unknown
}

/** What an observer manager is told. */
export type ManagerMessage =
  /** Begin to observe; the relay is told first what has been, then the caller is answered. */
  | {
      readonly kind: 'observe'
      readonly observer: Observer
      readonly begin: readonly Change[]
      /** The last commit before what follows. */
      readonly revision: number
      readonly lost: Lost | undefined
      readonly answer: Answer | undefined
    }
  | { readonly kind: 'commit'; readonly changes: readonly Change[]; readonly answer: Answer | undefined }
  /** `context` has a new variable. */
  | { readonly kind: 'track'; readonly id: string; readonly name: string; readonly context: Pid }
  /** A variable of `context` is gone. */
  | { readonly kind: 'untrack'; readonly id: string; readonly context: Pid }
  /** A context has become another than its watches were told; these values make up for it. */
  | {
      readonly kind: 'resync'
      readonly context: Pid
      readonly changes: readonly Change[]
      readonly revision: number
      readonly lost: Lost
    }
  | { readonly kind: 'forget'; readonly ref: Ref }
  | { readonly kind: 'list'; readonly context: Pid; readonly from: From; readonly backend: WatcherInfo['backend'] }

/** What an observer manager is asked, by call. */
export type ManagerRequest =
  | { readonly kind: 'add'; readonly observer: Observer }
  /** Without `id`, whatever it observes. */
  | { readonly kind: 'remove'; readonly ref: Ref; readonly id?: string }
  /** Removes every observer of an owner; answers with how many there were. */
  | { readonly kind: 'disown'; readonly owner: Pid }
  | { readonly kind: 'tracks'; readonly id: string }
  | { readonly kind: 'count'; readonly id: string }
  | { readonly kind: 'stats' }
  /** Answered when all that the manager was told before has been passed on. */
  | { readonly kind: 'fence' }

/** A variable as a relay knows it. */
export interface WatchedVariable {
  readonly id: string
  readonly name: string
  /** What its manager calls it in compact messages to this relay. */
  readonly subject: number
}

/** What the relay of a watching thread is told; one record for each change, however many watch there. */
export type RelayMessage =
  /** The watch holds from here on: its first changes. */
  | {
      readonly kind: 'watching'
      readonly ref: Ref
      readonly manager: Pid
      readonly variables: readonly WatchedVariable[]
      readonly begin: readonly Change[]
      readonly revision: number
      readonly lost: Lost | undefined
    }
  /** As what a manager is told by a context. */
  | {
      readonly kind: 'resync'
      readonly context: Pid
      readonly changes: readonly Change[]
      readonly revision: number
      readonly lost: Lost
    }
  /** Somebody else has removed the observer. */
  | { readonly kind: 'removed'; readonly ref: Ref }
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }

/** A watcher as `listWatchers` shows it. */
export interface WatcherInfo {
  readonly ref: Ref
  readonly names: readonly string[]
  readonly owner: Pid
  readonly alive: boolean
  readonly backend: 'local' | 'bridged'
}

/** Counts of one observer manager, or of all. */
export interface ObserverStats {
  /** Observers that are there now. */
  readonly observers: number
  /** Variables that have any. */
  readonly variables: number
  /** Changes taken so far. */
  readonly notifications: number
  /** Records sent to watching threads so far. */
  readonly records: number
  /** Observers removed because their owner had died, or the relay that called them. */
  readonly removedByDeath: number
}

const harmless: readonly string[] = ['open', 'get', 'describe', 'list', 'history', 'watchers']

/** Whether asking twice changes nothing more than asking once. */
export const isHarmless = ({ kind }: ContextRequest): boolean => harmless.includes(kind)

const writes: readonly string[] = ['define', 'set', 'set-many', 'delete', 'rollback', 'lease', 'release']

export const isWrite = ({ kind }: ContextRequest): boolean => writes.includes(kind)
