import { EventLog } from './event-log.js'
import type { History } from './history.js'
import { atomic } from './validators/atomic.js'
import { bookmarkable } from './validators/bookmarkable.js'
import { ordered } from './validators/ordered.js'
import { previousValue } from './validators/previous-value.js'
import { reliable } from './validators/reliable.js'
import { resumable } from './validators/resumable.js'
import { unique } from './validators/unique.js'

export type Rule = 'Ordered' | 'Unique' | 'Atomic' | 'Reliable' | 'Resumable' | 'Bookmarkable' | 'PreviousValue'

/** What a history shows that must not be. */
export interface Violation {
  readonly rule: Rule
  readonly text: string
}

/** Looks at a history for one kind of fault, and calls `fault` with each. */
export type Validator = (history: History, log: EventLog, fault: (text: string) => void) => void

const validators: Readonly<Record<Rule, Validator>> = {
  Ordered: ordered,
  Unique: unique,
  Atomic: atomic,
  Reliable: reliable,
  Resumable: resumable,
  Bookmarkable: bookmarkable,
  PreviousValue: previousValue,
}

/** All that is wrong with a history. */
export function check(history: History): Violation[] {
  const log = new EventLog(history)
  const violations: Violation[] = []
  for (const [rule, validator] of Object.entries(validators) as [Rule, Validator][])
    validator(history, log, (text) => violations.push({ rule, text }))
  return violations
}

/** @throws Error that tells the first violations of each rule */
export function assertClean(history: History): void {
  const violations = check(history)
  if (violations.length === 0) return
  const lines = Object.keys(validators).flatMap((rule) => {
    const found = violations.filter((one) => one.rule === rule)
    return found.length === 0 ? [] : [`${rule} (${found.length}):`, ...found.slice(0, 5).map(({ text }) => `  ${text}`)]
  })
  throw new Error(`the history has ${violations.length} violations\n${lines.join('\n')}`)
}
