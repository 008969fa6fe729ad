import type { Pid } from '../threads/pid.js'
import type { Roster } from '../threads/roster.js'

export interface WatchdogOptions {
  /** Milliseconds without a turn of its event loop after which a shared thread is ended; `Infinity` for never. */
  readonly stuckAfter: number
  /** The same for a thread with a process that was told to die. */
  readonly killGrace: number
}

/** Told of a stuck thread: which processes in it were to die, and the slot of the one that ran last. */
export type OnStuck = (thread: number, suspects: readonly Pid[], slot: number | undefined) => void

interface Seen {
  thread: number
  beats: number
  silentChecks: number
  suspects: readonly Pid[]
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
  readonly #isAlive: (pid: Pid) => boolean
  readonly #stuck: OnStuck
  readonly #seen: Seen[]
  /** Processes on isolated threads that were told to die, by how many checks ago. */
  readonly #condemned = new Map<Pid, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(roster: Roster, options: WatchdogOptions, isAlive: (pid: Pid) => boolean, stuck: OnStuck) {
    this.#roster = roster
    this.#options = options
    this.#isAlive = isAlive
    this.#stuck = stuck
    this.#interval = Math.max(20, Math.min(options.stuckAfter, options.killGrace, 5000) / CHECKS)
    this.#seen = Array.from({ length: roster.places }, () => ({
      thread: 0,
      beats: 0,
      silentChecks: 0,
      suspects: [],
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

  /**
   * `pid` was told to die: its thread, that of `place`, gets less time to show that it lives. An isolated thread has no
   * place and does not beat: there `pid` itself must be dead in that time.
   */
  suspect(place: number | undefined, pid: Pid): void {
    if (place === undefined) return void this.#condemned.set(pid, 0)
    const seen = this.#seen[place] as Seen
    if (seen.suspects.length === 0) seen.silentChecks = 0
    seen.suspects = [...seen.suspects, pid]
  }

  /**
   * A beat is no proof that a suspect has been told: the thread may turn once more before it gets stuck. So a suspect
   * stays one until it is dead.
   */
  #check(): void {
    this.#checkCondemned()
    for (const [place, seen] of this.#seen.entries()) {
      const thread = this.#roster.threadIn(place)
      const beats = this.#roster.beats(place)
      // A thread that has not begun is not stuck.
      if (beats === 0) continue
      seen.suspects = seen.suspects.filter((pid) => this.#isAlive(pid))
      if (thread !== seen.thread || beats !== seen.beats) {
        Object.assign(seen, { thread, beats, silentChecks: 0 })
        continue
      }
      const patience = seen.suspects.length === 0 ? this.#options.stuckAfter : this.#options.killGrace
      if (++seen.silentChecks * this.#interval < patience) continue
      seen.silentChecks = 0
      this.#stuck(thread, seen.suspects, this.#roster.running(place))
    }
  }

  #checkCondemned(): void {
    for (const [pid, checks] of this.#condemned) {
      if (this.#isAlive(pid) && (checks + 1) * this.#interval < this.#options.killGrace) {
        this.#condemned.set(pid, checks + 1)
        continue
      }
      this.#condemned.delete(pid)
      if (this.#isAlive(pid)) this.#stuck(pid.thread, [pid], undefined)
    }
  }
}
