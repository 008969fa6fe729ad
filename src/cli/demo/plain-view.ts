import type { TimedEvent } from './events.js'
import type { Figures } from './figures.js'
import { bytesPerSecond, percent } from './format.js'
import { timed } from './screen.js'
import { type Summary, summaryLines } from './summary.js'
import type { Survey } from './survey.js'
import type { View } from './view.js'

/** One line a second, and one for each event. */
export class PlainView implements View {
  readonly interval = 1000
  readonly #print: (line: string) => void

  constructor(print: (line: string) => void) {
    this.#print = print
  }

  survey(survey: Survey): void {
    this.#print(surveyLine(survey))
  }

  event(event: TimedEvent): void {
    this.#print(timed(event))
  }

  end(summary?: Summary): void {
    for (const line of summary === undefined ? [] : summaryLines(summary)) this.#print(line)
  }
}

/** The survey in one line. */
export function surveyLine({ seconds, rows, commitsPerSecond, messagesPerSecond, tally, observers }: Survey): string {
  const figures = Object.fromEntries(rows.map(({ name, value }) => [name, value])) as Figures
  const parts = [
    `cpu ${percent(figures.cpu)}, smooth ${percent(figures.cpu_smooth)}, ${figures.load_level}`,
    `memory ${percent(figures.memory)}`,
    `load ${figures.load.toFixed(2)}`,
    `net ${bytesPerSecond(figures.net_in)} in, ${bytesPerSecond(figures.net_out)} out`,
    `loop +${figures.loop_delay.toFixed(1)} ms`,
    `${commitsPerSecond.toFixed(0)} commits/s, ${messagesPerSecond.toFixed(0)} messages/s`,
    `${observers} observers`,
    `lost ${tally.lost}`,
  ]
  return `${seconds.toFixed(1).padStart(6)} s  ${parts.join(' | ')}`
}
