import type { Pid } from '../threads/pid.js'
import type { Roster } from '../threads/roster.js'

export interface WatchdogOptions {
  /** Milliseconds without a turn of its event loop after which a shared thread is ended; `Infinity` for never. */
  readonly stuckAfter: number
  /** The same for a thread with a process that was told to die. */
  readonly killGrace: number
}

/** Told of a stuck thread: which process in it was to die, else the slot of the one that ran last. */
export type OnStuck = (thread: number, suspect: Pid | undefined, slot: number | undefined) => void

interface Seen {
  thread: number
  beats: number
  silentChecks: number
  suspect: Pid | undefined
}

/** Looks at the beats of every shared thread, so often between two checks. */
const CHECKS = 5

/**
 * Finds shared threads that are stuck. It counts checks without a beat instead of reading a clock, so that a pause of
 * the whole program (a suspended machine) looks like one missed check and not like a dead thread.
 */
export class Watchdog {
  readonly #roster: Roster
  readonly #options: WatchdogOptions
  readonly #interval: number
  readonly #stuck: OnStuck
  readonly #seen: Seen[]
  #timer: NodeJS.Timeout | undefined

  constructor(roster: Roster, options: WatchdogOptions, stuck: OnStuck) {
    this.#roster = roster
    this.#options = options
    this.#stuck = stuck
    this.#interval = Math.max(20, Math.min(options.stuckAfter, options.killGrace, 5000) / CHECKS)
    this.#seen = Array.from({ length: roster.places }, () => ({
      thread: 0,
      beats: 0,
      silentChecks: 0,
      suspect: undefined,
    }))
  }

  /** Milliseconds between the beats of a thread that lives. */
  get beat(): number {
    return Math.max(10, this.#interval / 2)
  }

  start(): void {
    this.#timer = setInterval(() => this.#check(), this.#interval).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** `pid`, in the thread of `place`, was told to die: the thread gets less time to show that it lives. */
  suspect(place: number, pid: Pid): void {
    const seen = this.#seen[place] as Seen
    if (seen.suspect === undefined) seen.silentChecks = 0
    seen.suspect = pid
  }

  #check(): void {
    for (const [place, seen] of this.#seen.entries()) {
      const thread = this.#roster.threadIn(place)
      const beats = this.#roster.beats(place)
      if (thread !== seen.thread || beats !== seen.beats) {
        Object.assign(seen, { thread, beats, silentChecks: 0, suspect: undefined })
        continue
      }
      const patience = seen.suspect === undefined ? this.#options.stuckAfter : this.#options.killGrace
      if (++seen.silentChecks * this.#interval < patience) continue
      seen.silentChecks = 0
      this.#stuck(thread, seen.suspect, this.#roster.running(place))
    }
  }
}
