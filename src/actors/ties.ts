import type { Pid } from '../threads/pid.js'
import { Aliases } from './aliases.js'
import type { Asker } from './calls.js'
import type { Cell } from './cell.js'
import type { ExitReason } from './exit-reason.js'
import { LazyMap } from './lazy-map.js'
import type { From, Monitor } from './messages.js'
import type { NameClaim } from './names.js'
import { RefMap } from './ref-map.js'
import type { Router } from './router.js'
import type { Traces } from './trace.js'

/** What ties a process to others. Many have none of it, and nothing is kept for them. */
export class Ties implements Asker {
  readonly links = new LazyMap<string, Pid>()
  /** Unlinks that the other side has not confirmed: until then a link that it makes is one that this unlink will end. */
  readonly unlinking = new LazyMap<string, Monitor>()
  /** What the process monitors. */
  readonly monitors = new RefMap<Monitor>()
  /** Who monitors it. */
  readonly watchers = new RefMap<Monitor>()
  /** Calls taken or waiting that nobody has answered. */
  readonly unanswered = new RefMap<From>()
  readonly aliases = new Aliases()
  readonly names: { readonly name: string; readonly claim: NameClaim }[] = []
  openCalls = 0
  /** Whether exit signals come as messages. */
  trapExit = false
  /** Aborts when the process exits. */
  abort: AbortController | undefined
  traces: Traces | undefined
  /** Hears the exit reason, once. */
  onExit: ((reason: ExitReason) => void) | undefined
}

/** Tells all who are tied to `cell` that it is dead. */
export function untie(router: Router, cell: Cell, ties: Ties, reason: ExitReason): void {
  const { pid } = cell
  for (const from of ties.unanswered.values()) router.reply(undefined, from, 'exit', reason)
  for (const peer of ties.links.values()) router.exit(pid, peer, reason, true)
  for (const watcher of ties.watchers.values()) router.down(watcher.pid, watcher.ref, pid, reason)
  for (const { ref } of ties.monitors.values()) router.demonitor(cell, ref, false)
  ties.onExit?.(reason)
}
