import type { AppliedEvent, CommitEvent } from '../../variables/session-state.js'

/** Values that were set, each in a revision of its own, of which nothing was said. */
export interface SetColumns {
  /** The number, revision, version and timestamp of each. */
  readonly facts: readonly number[]
  readonly values: readonly unknown[]
}

const FACTS = 4

/** Most of what is told is of this kind, and a list of numbers travels at a tenth of what as many objects take. */
export function columnsOf(events: readonly CommitEvent[]): SetColumns | undefined {
  const facts: number[] = []
  const values: unknown[] = []
  for (const { op, said, more, number, revision, version, timestamp, value } of events) {
    if (op !== 'set' || said !== undefined || more) return undefined
    facts.push(number, revision, version, timestamp)
    values.push(value)
  }
  return { facts, values }
}

export function eventsIn({ facts, values }: SetColumns): AppliedEvent[] {
  return values.map((value, index) => {
    const at = FACTS * index
    return {
      op: 'set',
      number: facts[at] as number,
      revision: facts[at + 1] as number,
      version: facts[at + 2] as number,
      timestamp: facts[at + 3] as number,
      value,
      said: undefined,
      more: false,
    }
  })
}
