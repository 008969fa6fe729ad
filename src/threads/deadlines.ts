import type { Clock, Timer } from './clock.js'

/** A wait, in the line of those that take as long. */
class Wait implements Timer {
  readonly callback: () => void
  /** The line it stands in; undefined once it is over. */
  line: Line | undefined
  /** When it is over; known once the event loop has turned. */
  due = Number.POSITIVE_INFINITY
  before: Wait | undefined
  after: Wait | undefined

  constructor(callback: () => void, line: Line) {
    this.callback = callback
    this.line = line
    this.before = line.last
  }
}

/** Waits of the same length, in the order in which they began and will be over. */
class Line {
  readonly ms: number
  first: Wait | undefined
  last: Wait | undefined
  timer: NodeJS.Timeout | undefined
  /** Whether it is looked at when the event loop has turned. */
  noted = false

  constructor(ms: number) {
    this.ms = ms
  }

  join(wait: Wait): void {
    if (this.last === undefined) this.first = wait
    else this.last.after = wait
    this.last = wait
  }

  leave(wait: Wait): void {
    if (wait.before === undefined) this.first = wait.after
    else wait.before.after = wait.after
    if (wait.after === undefined) this.last = wait.before
    else wait.after.before = wait.before
    wait.line = undefined
    // One that the collector has found old would keep all that came after it.
    wait.before = undefined
    wait.after = undefined
  }
}

/** Longer waits than this, 24.8 days, Node would not wait at all. */
const LONGEST = 2 ** 31 - 1

/** Node's timers take whole milliseconds, and may be early by a part of one. */
const EARLY = 1

/**
 * The time of the machine for waits that are nearly always cut short, as that of a call for its answer is. A wait that is
 * over within the same turn of the event loop has cost Node no timer, and those of one length that outlast it share one. A
 * wait is counted from the end of the turn in which it began.
 */
export class Deadlines implements Clock {
  readonly #lines = new Map<number, Line>()
  #noted: Line[] = []

  now(): number {
    return performance.now()
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const wanted = Math.min(Math.max(ms || 1, 1), LONGEST)
    const line = this.#lines.get(wanted) ?? this.#open(wanted)
    const wait = new Wait(callback, line)
    line.join(wait)
    if (!line.noted) this.#note(line)
    return wait
  }

  clearTimeout(timer: Timer): void {
    const wait = timer as Wait
    const { line } = wait
    if (line === undefined) return
    line.leave(wait)
    if (line.first === undefined && !line.noted) this.#note(line)
  }

  #open(ms: number): Line {
    const line = new Line(ms)
    this.#lines.set(ms, line)
    return line
  }

  /** Looks at a line once whatever runs now has run: most of its waits are over by then. */
  #note(line: Line): void {
    line.noted = true
    this.#noted.push(line)
    if (this.#noted.length === 1) setImmediate(() => this.#turn())
  }

  #turn(): void {
    const now = performance.now()
    const noted = this.#noted
    this.#noted = []
    for (const line of noted) {
      line.noted = false
      for (let wait = line.last; wait?.due === Number.POSITIVE_INFINITY; wait = wait.before) wait.due = now + line.ms
      if (line.first === undefined) this.#close(line)
      else if (line.timer === undefined) this.#arm(line, line.first.due - now)
    }
  }

  /** Nothing is left to wait for: no timer must hold the program open. */
  #close(line: Line): void {
    clearTimeout(line.timer)
    this.#lines.delete(line.ms)
  }

  #arm(line: Line, ms: number): void {
    line.timer = setTimeout(() => this.#ring(line), ms)
  }

  #ring(line: Line): void {
    line.timer = undefined
    const now = performance.now()
    try {
      for (let wait = line.first; wait !== undefined && wait.due < now + EARLY; wait = line.first) {
        line.leave(wait)
        wait.callback()
      }
    } finally {
      // Whatever a callback threw, those behind it have their turn.
      const { first } = line
      if (first === undefined) {
        if (!line.noted) this.#note(line)
      } else if (first.due < Number.POSITIVE_INFINITY) this.#arm(line, first.due - now)
    }
  }
}
