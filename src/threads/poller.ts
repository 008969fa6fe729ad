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
  /** Whether there is something to be read. */
  readonly hasMore: boolean
  drain(): void
  /** Sees to it that the peer learns of all that was sent: its core may have shown that late, and it may have gone to sleep. */
  confirm(): void
}

/** Looks for signals between two looks at the clock. */
const LOOKS = 128
/** How often what comes may be looked for again before the event loop turns. */
const HELD = 256
/** The least that a thread lingers, as a share of what it may, where it did so in vain. */
const LEAST = 1 / 16
/**
 * Microtasks in which it only glances at the rings before it spins, after something has come: the code that waited for it
 * takes some to go on, and what that sends must not wait until a spell has ended. Each is an object for the collector.
 */
const GLANCES = 4
/** The most awaited answers that are left to the event loop, as those before took too long. */
const MOST_DOUBTS = 64

/** How often a thread that was stirred looks whether more has come, before it lets its event loop turn. */
const STIRS = 8

/** Milliseconds between two looks at the clock after which the thread has not had its core all the time. */
const LOST = 0.2
/** Milliseconds for which it then does not look for long: at first, and at most. */
const PAUSE = 20
const LONGEST_PAUSE = 1000

/** A reaction costs a third of `queueMicrotask`. */
const now = Promise.resolve()

/**
 * Brings in what a thread's peers send. While signals keep coming it looks for more, in short spells between which the
 * event loop turns; when none have come for a while it sleeps, and costs nothing until it is woken.
 *
 * As long as it looks it leaves the bits of those who send raised, and looks at their rings: neither side then writes the
 * word of the bell, which would pull it from one core to the other with every signal.
 */
export class Poller {
  readonly #bell: Bell
  readonly #all = new Set<Polled>()
  /** Milliseconds. */
  readonly #spin: number
  readonly #linger: number
  /** What the thread lingers now: less after each time that it did in vain. */
  #patience: number
  /** The bits that are raised, and who they stand for. */
  #bits = 0
  #watched: Polled[] = []
  /** Awaited answers that are not looked for at once, as the last ones took too long: how many more of them. */
  #doubts = 0
  #doubt = 1
  #immediate: NodeJS.Immediate | undefined
  /** Whether it is about to look between two turns of the event loop, and what for. */
  #spell: 'none' | 'answer' | 'more' = 'none'
  /** How often it has looked since the event loop has turned. */
  #held = 0
  /** When something came last; 0 when that was in this turn of the event loop. */
  #active = 0
  #vain = true
  #lowered = false
  #glances = 0
  /** Until when it does not look for long, as the last time it did it was put off its core; and how long that lasts. */
  #crowded = 0
  #pause = PAUSE

  constructor(bell: Bell, { spin, linger }: Polling) {
    this.#bell = bell
    this.#spin = spin / 1000
    this.#linger = this.#patience = linger / 1000
    bell.park()
  }

  /** From now on it is drained when its bit is raised; and once soon, as that may have been before. */
  add(polled: Polled): void {
    this.#all.add(polled)
    this.#bell.raise(polled.bit)
    // Its bit may have been raised before.
    this.#bits = 0
    this.#watched = []
    this.kick()
  }

  remove(polled: Polled): void {
    this.#all.delete(polled)
    this.#watched = this.#watched.filter((other) => other !== polled)
    if (this.#all.size > 0 || this.#immediate === undefined) return
    clearImmediate(this.#immediate)
    this.#immediate = undefined
  }

  /** Something has been sent, or has come: more may follow soon. */
  kick(): void {
    if (this.#immediate !== undefined || this.#all.size === 0) return
    this.#bell.unpark()
    this.#active = performance.now()
    this.#held = 0
    this.#vain = true
    this.#immediate = setImmediate(this.#turn)
  }

  /**
   * An answer is awaited: it is looked for once the code that asked has come to rest, before the event loop turns. The
   * other side may take its time: after an answer that did not come at once, some of the next are left to the event loop.
   */
  hurry(): void {
    this.kick()
    this.#patience = this.#linger
    if (this.#spell !== 'none' || this.#spin === 0) return
    if (this.#doubts > 0) this.#doubts--
    else this.#lookSoon('answer')
  }

  /** Once whatever is ready to run has run. */
  #lookSoon(spell: 'answer' | 'more'): void {
    if (++this.#held > HELD) return
    this.#spell = spell
    this.#glances = spell === 'more' ? GLANCES : 0
    void now.then(this.#lookNow)
  }

  readonly #lookNow = () => {
    if (this.#glances > 0) return this.#glance()
    const awaited = this.#spell === 'answer'
    this.#spell = 'none'
    if (this.#lookFor(this.#spin)) this.#found()
    else if (awaited) {
      this.#doubts = this.#doubt
      this.#doubt = Math.min(2 * this.#doubt, MOST_DOUBTS)
    }
  }

  #glance(): void {
    // First: what a signal leads to may throw, and the next must be looked for all the same.
    this.#spell = 'none'
    if (this.#look()) return this.#found()
    this.#spell = 'more'
    this.#glances--
    void now.then(this.#lookNow)
  }

  /** What has come may have made something ready to run, which comes first; then more may have come. */
  #found(): void {
    // It may have slept, and been woken by a message that has not been read yet.
    this.kick()
    this.#doubt = 1
    this.#vain = false
    this.#active = 0
    this.#lowered = false
    if (this.#spell === 'none') this.#lookSoon('more')
  }

  /** The owner was woken by a message, or may have been. */
  woken(): void {
    this.kick()
    this.#look()
  }

  /** From now on it does not look for signals, and neither does a peer for those of this thread: they wake each other. */
  doze(): void {
    this.#bell.doze()
  }

  get dozes(): boolean {
    return this.#bell.dozes
  }

  /** As {@link woken}, by a peer on whose link nobody looks for signals: takes what has come, and sleeps on. */
  stirred(): void {
    if (this.#immediate !== undefined) return void this.#look()
    let sleeps = false
    try {
      for (let times = 0; times < STIRS && !sleeps; times++) {
        this.#bell.take()
        this.#bits = 0
        this.#drainAll()
        sleeps = this.#bell.park()
      }
    } finally {
      // What a signal led to has thrown, or more comes all the time: then the event loop turns between two looks.
      if (!sleeps) this.kick()
    }
  }

  readonly #turn = () => {
    // First: what a signal leads to may throw, and the next must be looked for all the same.
    this.#immediate = setImmediate(this.#turn)
    this.#held = 0
    for (const polled of this.#all) polled.confirm()
    if (this.#lookFor(this.#spin)) this.#found()
    const time = performance.now()
    if (this.#active === 0) this.#active = time
    else if (this.dozes || time < this.#crowded || time - this.#active >= this.#patience) this.#goToSleep()
  }

  /**
   * First it lowers the bits, so that who sends raises them again; then, a turn later, it sleeps. Who saw its bit raised just
   * before may have sent something that its core had not shown yet: by then it has.
   */
  #goToSleep(): void {
    if (this.#lowered) this.#sleep()
    else this.#lower()
  }

  #sleep(): void {
    if (this.#drainAll() || !this.#bell.park()) {
      this.#lowered = false
      return
    }
    this.#lowered = false
    clearImmediate(this.#immediate)
    this.#immediate = undefined
    this.#patience = this.#vain ? Math.max(this.#patience / 2, this.#linger * LEAST) : this.#linger
  }

  /** Looks until something comes, for `ms` milliseconds at most. @returns whether anything did */
  #lookFor(ms: number): boolean {
    let end = 0
    let before = 0
    for (;;) {
      for (let looks = 0; looks < LOOKS; looks++) if (this.#look()) return true
      const time = performance.now()
      if (end === 0) end = time < this.#crowded ? time : time + ms
      else if (time - before > LOST) this.#lostCore(time)
      if (time >= end) return false
      before = time
    }
  }

  /** Others need the core that it looks on, one of its peers perhaps: for a while, and longer each time, it does not. */
  #lostCore(time: number): void {
    this.#pause = time < this.#crowded + 10 * this.#pause ? Math.min(2 * this.#pause, LONGEST_PAUSE) : PAUSE
    this.#crowded = time + this.#pause
  }

  /** @returns whether anything had come */
  #look(): boolean {
    if (this.#bell.raised !== this.#bits) this.#watch()
    const watched = this.#watched
    let found = false
    for (let i = 0; i < watched.length; i++) {
      const polled = watched[i] as Polled
      if (!polled.hasMore) continue
      polled.drain()
      found = true
    }
    return found
  }

  #watch(): void {
    this.#bits = this.#bell.raised
    this.#watched = [...this.#all].filter(({ bit }) => (bit & this.#bits) !== 0)
  }

  #lower(): void {
    this.#bell.take()
    this.#bits = 0
    this.#watched = []
    this.#lowered = !this.#drainAll()
  }

  /** @returns whether anything had come */
  #drainAll(): boolean {
    let found = false
    for (const polled of this.#all) {
      if (!polled.hasMore) continue
      polled.drain()
      found = true
    }
    return found
  }
}
