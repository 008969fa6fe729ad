import type { Process } from '../../index.js'
import type { LoadLevel } from './load-level.js'

/** What happens in the demo that is worth a line. */
export type DemoEvent =
  | { readonly kind: 'strategy'; readonly name: string }
  | { readonly kind: 'level'; readonly from: LoadLevel | undefined; readonly to: LoadLevel }
  | { readonly kind: 'alert'; readonly raised: boolean }
  | { readonly kind: 'watching'; readonly pid: string; readonly observers: number }
  | { readonly kind: 'hanging'; readonly pid: string; readonly observers: number }
  | { readonly kind: 'killed'; readonly pid: string; readonly downMs: number; readonly observers: number }
  | { readonly kind: 'crashed'; readonly pid: string; readonly reason: string }

/** An event and when it was, in seconds from the start. */
export type TimedEvent = DemoEvent & { readonly at: number }

/** The name of the process that is told of events. */
export const journalName = 'journal'

/** Tells the journal of an event, from any thread. */
export function report(self: Process, event: DemoEvent): void {
  self.send(journalName, event)
}

/** The event in words. */
export function eventText(event: DemoEvent): string {
  switch (event.kind) {
    case 'strategy':
      return `smoothing is now ${event.name}`
    case 'level':
      return `load level: ${event.from ?? 'none'} → ${event.to}`
    case 'alert':
      return event.raised ? 'ALERT: a core is nearly all busy' : 'the alert is over'
    case 'watching':
      return `isolated watcher ${event.pid} is watching: ${event.observers} observers of cpu`
    case 'hanging':
      return `isolated watcher ${event.pid} hangs in an endless loop: ${event.observers} observers of cpu`
    case 'killed':
      return `killed ${event.pid}: DOWN after ${event.downMs.toFixed(1)} ms, ${event.observers} observers of cpu are left`
    case 'crashed':
      return `process ${event.pid} has crashed: ${event.reason}`
  }
}
