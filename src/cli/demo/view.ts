import type { TimedEvent } from './events.js'
import type { Summary } from './summary.js'
import type { Survey } from './survey.js'

/** Shows a running demo. */
export interface View {
  /** Milliseconds from one survey to the next. */
  readonly interval: number
  survey(survey: Survey): void
  event(event: TimedEvent): void
  /** The last call, whether there is a summary or not: gives the terminal back. */
  end(summary?: Summary): void
}
