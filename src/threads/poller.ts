import type { Bell } from './bell.js'

/** How a thread waits for its peers before it sleeps. */
export interface Polling {
  /** Microseconds of looking without a break, between two turns of the event loop; 0 never looks, but sleeps at once. */
  readonly spin: number
  /** Microseconds without any signal after which the thread sleeps until it is woken. */
  readonly linger: number
}

/** What is read when its bit is raised. */
export interface Polled {
  readonly bit: number
  drain(): void
}

/** Looks at the bell between two looks at the clock. */
const LOOKS = 64
/** Microseconds for which awaited answers may keep the event loop from turning. */
const HELD = 400
/** The least that a thread lingers, as a share of what it may, where it did so in vain. */
const LEAST = 1 / 16

/**
 * Brings in what a thread's peers send. While signals keep coming it looks for more, in short spells between which the
 * event loop turns; when none have come for a while it sleeps, and costs nothing until it is woken.
 */
export class Poller {
  readonly #bell: Bell
  readonly #polled = new Set<Polled>()
  readonly #spin: number
  readonly #linger: number
  /** What the thread lingers now: less after each time that it did in vain. */
  #patience: number
  /** Awaited answers that are not looked for at once, as the last ones took too long: how many more of them. */
  #doubts = 0
  #doubt = 1
  #immediate: NodeJS.Immediate | undefined
  #hurried = false
  #turned = 0
  #active = 0
  #vain = true

  constructor(bell: Bell, { spin, linger }: Polling) {
    this.#bell = bell
    this.#spin = spin / 1000
    this.#linger = this.#patience = linger / 1000
    bell.park()
  }

  /** From now on it is drained when its bit is raised; and once soon, as that may have been before. */
  add(polled: Polled): void {
    this.#polled.add(polled)
    this.#bell.raise(polled.bit)
    this.kick()
  }

  remove(polled: Polled): void {
    this.#polled.delete(polled)
    if (this.#polled.size > 0 || this.#immediate === undefined) return
    clearImmediate(this.#immediate)
    this.#immediate = undefined
  }

  /** Something has been sent, or has come: more may follow soon. */
  kick(): void {
    if (this.#immediate !== undefined || this.#polled.size === 0) return
    this.#bell.unpark()
    this.#active = this.#turned = performance.now()
    this.#vain = true
    this.#immediate = setImmediate(this.#turn)
  }

  /**
   * An answer is awaited: it is looked for once the code that asked has come to rest, before the event loop turns. The
   * other side may take its time: after an answer that did not come at once, some of the next are left to the event loop.
   */
  hurry(): void {
    this.kick()
    if (this.#hurried || this.#spin === 0) return
    if (this.#doubts > 0) {
      this.#doubts--
      return
    }
    this.#hurried = true
    queueMicrotask(this.#await)
  }

  readonly #await = () => {
    this.#hurried = false
    const start = performance.now()
    if (start - this.#turned > HELD / 1000) return
    if (this.#lookUntil(start, start + this.#spin)) {
      this.#doubt = 1
      return
    }
    this.#doubts = this.#doubt
    this.#doubt = Math.min(2 * this.#doubt, 64)
  }

  /** The owner was woken by a message, or may have been. */
  woken(): void {
    this.#read(performance.now())
    this.kick()
  }

  readonly #turn = () => {
    const start = performance.now()
    this.#turned = start
    this.#lookUntil(start, start + this.#spin)
    if (this.#polled.size === 0) return
    const idle = performance.now() - this.#active
    if (idle < this.#patience || !this.#bell.park()) {
      this.#immediate = setImmediate(this.#turn)
      return
    }
    this.#immediate = undefined
    this.#patience = this.#vain ? Math.max(this.#patience / 2, this.#linger * LEAST) : this.#linger
  }

  /** @returns whether anything came */
  #lookUntil(now: number, end: number): boolean {
    for (;;) {
      for (let looks = 0; looks < LOOKS; looks++) {
        if (!this.#bell.raised) continue
        this.#read(now)
        return true
      }
      now = performance.now()
      if (now >= end) return false
    }
  }

  #read(now: number): void {
    const bits = this.#bell.take()
    if (bits === 0) return
    this.#active = now
    this.#vain = false
    for (const polled of this.#polled) if ((polled.bit & bits) !== 0) polled.drain()
  }
}
