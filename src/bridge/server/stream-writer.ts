import type { WatchProgress } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { FrameBuilder, itemOf } from './stream-frame.js'
import { HeldReplies } from './stream-replies.js'
import type { ServerWatch } from './stream-watch.js'

/** What each ready watch may add to what it is owed in a round, and how large a frame becomes while others wait. */
const QUANTUM = 4 * 1024
const SOFT = 32 * 1024
/** A client that asks for so much that is answered at once, and takes none of it, is cut off. */
const MOST_CONTROL = 65_536

/** Where frames go. At most one is under way. */
export interface FrameSink {
  /** Calls `written` when there is room for the next; not once the stream is over. */
  write(frame: Buffer, written: () => void): void
  /** The client does not take what it asks for. */
  overrun(): void
  /** A variable's event, or the variable, is larger than a frame may be. */
  tooLarge(watch: ServerWatch, bytes: number, hard: number): void
  /** A frame has been written, or there was none to be written. */
  written(): void
  /** The time. */
  now(): number
}

/**
 * Writes the frames of a stream. A frame is put together when there is room for it and not before, so that what waits is
 * no bytes but places in the logs: first what is said of the stream itself, then what is due to its watches, in rounds, then
 * answers, behind the events they speak of.
 */
export class StreamWriter {
  readonly #sink: FrameSink
  readonly #frame = new FrameBuilder()
  #hard: number
  #seq = 0
  #control: Uint8Array[] = []
  #ready: ServerWatch[] = []
  readonly #replies = new HeldReplies()
  /** Whose progress is to be told, whatever it is. */
  readonly #reports = new Set<ServerWatch>()
  /** What is asked of the progress of watches. */
  readonly #barriers = new Map<ServerWatch, number[]>()
  #writingSince: number | undefined
  #isScheduled = false
  #isClosed = false

  constructor(sink: FrameSink, hard: number) {
    this.#sink = sink
    this.#hard = hard
  }

  /** Whether all has been written that there was. */
  get isIdle(): boolean {
    return !this.#isWriting && !this.#isScheduled && this.#replies.count === 0 && this.#control.length === 0
  }

  /** When the frame was written that the client has not taken yet; `undefined` when there is none. */
  get writingSince(): number | undefined {
    return this.#writingSince
  }

  get #isWriting(): boolean {
    return this.#writingSince !== undefined
  }

  /** Answers that the client has not taken. */
  get heldReplies(): number {
    return this.#replies.count
  }

  /** No frame is larger than this from now on. */
  limit(bytes: number): void {
    this.#hard = Math.min(this.#hard, bytes)
  }

  get hard(): number {
    return this.#hard
  }

  control(item: Uint8Array): void {
    this.#control.push(item)
    if (this.#control.length > MOST_CONTROL) this.#sink.overrun()
    this.wake()
  }

  ready(watch: ServerWatch): void {
    if (watch.isQueued) return
    watch.isQueued = true
    this.#ready.push(watch)
    this.wake()
  }

  /** An answer about a session; it speaks of its commits up to `revision`. */
  reply(session: string, revision: number, item: Uint8Array): void {
    this.#replies.add(session, { revision, item })
    this.wake()
  }

  /** Tells how far a watch is. */
  report(watch: ServerWatch): void {
    this.#reports.add(watch)
    this.wake()
  }

  /** Tells how far a watch is once it is that far. */
  barrier(watch: ServerWatch, atLeast: number): void {
    const known = this.#barriers.get(watch)
    if (known === undefined) this.#barriers.set(watch, [atLeast])
    else if (known.push(atLeast) > MOST_CONTROL) this.#sink.overrun()
    this.wake()
  }

  /** A watch is over. */
  forget(watch: ServerWatch): void {
    this.#reports.delete(watch)
    this.#barriers.delete(watch)
  }

  /** Nothing is written any more. */
  close(): void {
    this.#isClosed = true
    this.#control = []
    this.#ready = []
    this.#replies.clear()
    this.#reports.clear()
    this.#barriers.clear()
  }

  /** What comes together goes together: the frame is made when the code that runs now is done. */
  wake(): void {
    if (this.#isScheduled || this.#isWriting || this.#isClosed) return
    this.#isScheduled = true
    queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    this.#isScheduled = false
    if (this.#isWriting || this.#isClosed) return
    if (!this.#compose()) return this.#sink.written()
    this.#writingSince = this.#sink.now()
    this.#sink.write(this.#frame.finish(), this.#written)
  }

  readonly #written = (): void => {
    this.#writingSince = undefined
    this.#sink.written()
    this.#flush()
  }

  /** @returns whether there is anything to be written */
  #compose(): boolean {
    this.#frame.begin(this.#seq + 1)
    this.#putControl()
    if (this.#control.length === 0) this.#putReports()
    if (this.#control.length === 0) this.#rounds()
    if (this.#control.length === 0) {
      this.#putBarriers()
      if (this.#replies.count > 0) this.#replies.put(this.#frame, this.#told(), Math.min(this.#hard, 2 * SOFT))
    }
    // A watch may have begun anew or ended before anything was told: that comes first.
    if (this.#frame.isEmpty) return this.#control.length > 0 && this.#compose()
    this.#seq++
    return true
  }

  #putControl(): void {
    let count = 0
    for (const item of this.#control) {
      if (!this.#frame.isEmpty && this.#frame.length + item.length + 16 > this.#hard) break
      this.#frame.item(item)
      count++
    }
    if (count > 0) this.#control.splice(0, count)
  }

  #putReports(): void {
    if (this.#reports.size === 0) return
    const watches = [...this.#reports].flatMap((watch) => watch.progress() ?? [])
    this.#reports.clear()
    if (watches.length > 0) this.#progress(watches)
  }

  /** A frame may be small, and the watches many. */
  #progress(watches: readonly WatchProgress[]): void {
    const most = Math.max(1, Math.floor((this.#hard - 64) / 32))
    for (let at = 0; at < watches.length; at += most) {
      const item = itemOf({ $case: 'progress', value: { watches: watches.slice(at, at + most) } })
      if (at === 0 && this.#frame.length + item.length + 16 <= this.#hard) this.#frame.item(item)
      else this.#control.push(item)
    }
  }

  #putBarriers(): void {
    if (this.#barriers.size === 0) return
    const met: WatchProgress[] = []
    for (const [watch, asked] of this.#barriers) {
      // One that has begun anew is asked again once it is told its snapshot.
      if (watch.overtake()) continue
      const { reach } = watch
      const open = asked.filter((atLeast) => atLeast > reach)
      if (open.length === asked.length) continue
      const progress = watch.progress()
      if (progress !== undefined) met.push(progress)
      if (open.length === 0) this.#barriers.delete(watch)
      else this.#barriers.set(watch, open)
    }
    if (met.length > 0) this.#progress(met)
  }

  /** Deficit round robin: each gets as many bytes as the others, however large its events. */
  #rounds(): void {
    while (this.#ready.length > 0 && this.#frame.length < SOFT && this.#control.length === 0) {
      const round = this.#ready
      this.#ready = []
      for (let at = 0; at < round.length; at++) {
        const watch = round[at] as ServerWatch
        const isOpen = this.#control.length === 0 && this.#frame.length < SOFT
        if (isOpen && this.#turn(watch, round.length === 1)) continue
        // The frame has to go: who had no turn comes first in the next.
        this.#ready.unshift(...round.slice(at))
        return
      }
    }
  }

  /** @returns false when the frame has to go before this watch can have its turn */
  #turn(watch: ServerWatch, isAlone: boolean): boolean {
    watch.deficit += QUANTUM
    for (;;) {
      const room = this.#hard - this.#frame.length - 64
      const bytes = Math.min(isAlone ? Math.max(watch.deficit, SOFT) : watch.deficit, room)
      const isFirst = this.#frame.isEmpty
      const before = this.#frame.length
      const needs = this.#put(watch, bytes, false)
      if (needs !== undefined && (needs.bytes > room || needs.events > watch.credit)) {
        if (needs.bytes > room && !isFirst) {
          watch.deficit = Math.max(0, watch.deficit - QUANTUM)
          return false
        }
        if (needs.bytes <= room && needs.events <= watch.window) {
          // It waits for credit: an acknowledgement will have it back.
          leave(watch)
          return true
        }
        const rest = this.#put(watch, room, true)
        if (rest !== undefined) {
          if (rest.bytes > room) this.#sink.tooLarge(watch, rest.bytes, this.#hard)
          leave(watch)
          return true
        }
      } else if (needs !== undefined && isAlone) {
        watch.deficit = needs.bytes
        continue
      }
      watch.deficit = Math.max(0, watch.deficit - (this.#frame.length - before))
      if (watch.isReady) this.#ready.push(watch)
      else leave(watch)
      return true
    }
  }

  /** @returns what would be needed, when nothing could be put into the frame */
  #put(watch: ServerWatch, bytes: number, split: boolean) {
    const piece = watch.next({ events: Number.POSITIVE_INFINITY, bytes, split })
    if (piece === undefined) return undefined
    if (piece.kind === 'short') return piece.needs
    if (piece.kind === 'batch') this.#frame.batch(watch.id, piece.prev, piece.through, piece.events)
    else this.#frame.snapshot(watch.id, piece.revision, piece.variables, piece.last)
    return undefined
  }

  /** Of each session of which something can be told, but has not been: how far its watches have been told. */
  #told(): Map<string, number> {
    const told = new Map<string, number>()
    for (const watch of this.#ready) {
      if (!watch.isReady) continue
      const { id } = watch.mirror
      told.set(id, Math.min(told.get(id) ?? Number.POSITIVE_INFINITY, watch.through))
    }
    return told
  }
}

function leave(watch: ServerWatch): void {
  watch.isQueued = false
  watch.deficit = 0
}
