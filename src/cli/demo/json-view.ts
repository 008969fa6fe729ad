import type { TimedEvent } from './events.js'
import type { Summary } from './summary.js'
import type { Survey } from './survey.js'
import type { View } from './view.js'

/** One JSON object a line, each with its `type`; the last one is the summary. */
export class JsonView implements View {
  readonly interval = 1000
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  survey(survey: Survey): void {
    this.#print(JSON.stringify({ type: 'survey', ...survey }))
  }

  event(event: TimedEvent): void {
    this.#print(JSON.stringify({ type: 'event', ...event }))
  }

  end(summary?: Summary): void {
    if (summary !== undefined) this.#print(JSON.stringify({ type: 'summary', ...summary }))
  }
}
