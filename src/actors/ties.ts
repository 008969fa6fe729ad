import type { Pid } from '../threads/pid.js'
import { Aliases } from './aliases.js'
import type { Asker } from './calls.js'
import type { ExitReason } from './exit-reason.js'
import { LazyMap } from './lazy-map.js'
import type { From, Monitor } from './messages.js'
import type { NameClaim } from './names.js'
import { RefMap } from './ref-map.js'
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
  /** Aborts when the process exits. */
  abort: AbortController | undefined
  traces: Traces | undefined
  /** Hears the exit reason, once. */
  onExit: ((reason: ExitReason) => void) | undefined
}
