import type { Journal } from './journal.js'
import type { Tally } from './ledger.js'
import type { Survey } from './survey.js'

/** What was seen in a whole run. */
export interface Summary extends Tally {
  readonly seconds: number
  readonly commits: number
  readonly observersRemoved: number
  /** Milliseconds from each `kill` of the hanging watcher to its `DOWN`. */
  readonly killMs: readonly number[]
  readonly strategySwitches: number
  readonly levelChanges: number
  readonly alerts: number
  /** Processes that have died and should not. */
  readonly crashed: number
}

/** Sums up a run by its last survey and its journal. */
export function summarise(survey: Survey, journal: Journal): Summary {
  return {
    seconds: survey.seconds,
    commits: survey.commits,
    ...survey.tally,
    observersRemoved: survey.removedByDeath,
    killMs: journal.of('killed').map(({ downMs }) => Math.round(10 * downMs) / 10),
    strategySwitches: journal.of('strategy').length,
    levelChanges: journal.of('level').length,
    alerts: journal.of('alert').filter(({ raised }) => raised).length,
    crashed: journal.of('crashed').length,
  }
}

/** Whether all went as it should. */
export function isClean({ lost, repeated, crashed }: Summary): boolean {
  return lost + repeated + crashed === 0
}

/** The summary for people. */
export function summaryLines(summary: Summary): string[] {
  return [
    `what was seen in ${summary.seconds.toFixed(1)} s:`,
    `  commits: ${summary.commits}`,
    `  notifications delivered: ${summary.delivered} of ${summary.expected}`,
    `  lost: ${summary.lost}`,
    `  repeated: ${summary.repeated}`,
    `  observers removed on death: ${summary.observersRemoved}`,
    `  kill to DOWN: ${summary.killMs.map((ms) => `${ms.toFixed(1)} ms`).join(', ') || 'nothing was killed'}`,
    `  strategy switches: ${summary.strategySwitches}`,
    `  load level changes: ${summary.levelChanges}`,
    `  alerts: ${summary.alerts}`,
    ...(summary.crashed > 0 ? [`  processes that crashed: ${summary.crashed}`] : []),
  ]
}
