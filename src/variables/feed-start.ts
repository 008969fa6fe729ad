import type { StateParts } from './local-state.js'
import { defined, deleted, type LogRecord } from './log-half.js'
import type { CommitEvent, FeedStart, NumberedInfo, SessionState } from './session-state.js'
import type { StoredVariable } from './stored-variable.js'

/** What a copy has seen of a context. */
export interface Seen {
  readonly incarnation: string
  readonly revision: number
}

/** What a copy begins with, which has seen nothing, or all up to a revision. */
export function feedStart({ store, variables }: StateParts, seen: Seen | undefined): FeedStart {
  const { revision, incarnation, compacted } = store.log
  const state = { incarnation, revision, variables: [...variables.values()].map(numbered) }
  const from = seen === undefined ? compacted : seen.incarnation === incarnation ? seen.revision : -1
  const missed = from >= compacted && from <= revision ? eventsAfter({ store, variables }, from) : undefined
  return { state, compacted, missed }
}

/** A context as it goes on elsewhere, with its past. */
export function wholeState(parts: StateParts): SessionState {
  const { state } = feedStart(parts, undefined)
  const all = [...parts.variables.values()]
  const histories = Object.fromEntries(all.map((one) => [one.name, one.history(Number.MAX_SAFE_INTEGER)]))
  const leases = Object.fromEntries(all.flatMap(({ name, lease }) => (lease === undefined ? [] : [[name, lease]])))
  return { ...state, histories, leases }
}

export const numbered = (variable: StoredVariable): NumberedInfo => ({ ...variable.info(), number: variable.number })

function eventsAfter({ store }: Pick<StateParts, 'store' | 'variables'>, revision: number): CommitEvent[] {
  const records = [...store.records()].filter((record) => record.revision > revision)
  return records.flatMap((record, at) => {
    const variable = store.variable(record.number)
    return variable === undefined ? [] : [eventOf(variable, record, records[at + 1]?.revision === record.revision)]
  })
}

function eventOf(variable: StoredVariable, record: LogRecord, more: boolean): CommitEvent {
  const { number, id, name } = variable
  const { kind, value, previous, said, revision, version, timestamp } = record
  const rest = { number, id, name, said, revision, version, timestamp, more }
  if (kind === deleted) return { op: 'delete', value: undefined, previous, ...rest }
  if (kind !== defined) return { op: 'set', value, previous, ...rest }
  const metadata = { source: 'local', ...said }
  const info = { ...numbered(variable), value, version, revision, metadata, updatedAt: timestamp }
  return { op: 'define', value, previous: undefined, ...rest, info }
}
