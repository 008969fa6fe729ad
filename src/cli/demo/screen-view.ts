import type { WriteStream } from 'node:tty'
import type { TimedEvent } from './events.js'
import { renderScreen } from './screen.js'
import { type Summary, summaryLines } from './summary.js'
import type { Survey } from './survey.js'
import type { View } from './view.js'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'
const home = '\x1b[H'
const clearLine = '\x1b[K'
const clearBelow = '\x1b[J'

type Terminal = Pick<WriteStream, 'columns' | 'rows' | 'hasColors'> & { write(text: string): unknown }

/** A table that is drawn again in its place, on the terminal's other screen: what was on the terminal comes back. */
export class ScreenView implements View {
  readonly interval = 200
  readonly #terminal: Terminal
  readonly #events: TimedEvent[] = []
  readonly #leave = () => this.#terminal.write(leave)

  constructor(terminal: Terminal) {
    this.#terminal = terminal
    this.#terminal.write(enter)
    // However the program ends, the cursor is back.
    process.once('exit', this.#leave)
  }

  survey(survey: Survey): void {
    const { columns, rows } = this.#terminal
    const options = { width: columns || 80, height: rows || 24, color: this.#terminal.hasColors() }
    const lines = renderScreen(survey, this.#events, options)
    this.#terminal.write(home + lines.map((line) => line + clearLine).join('\n') + clearBelow)
  }

  event(event: TimedEvent): void {
    this.#events.push(event)
  }

  end(summary?: Summary): void {
    process.off('exit', this.#leave)
    this.#leave()
    for (const line of summary === undefined ? [] : summaryLines(summary)) this.#terminal.write(`${line}\n`)
  }
}
