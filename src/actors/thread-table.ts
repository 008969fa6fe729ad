import type { ResourceLimits } from 'node:worker_threads'
import type { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import { type Batch, type Carrier, portsOf } from '../threads/link.js'
import { MAIN } from '../threads/mesh.js'
import type { ThreadEnd, ThreadSource } from '../threads/pools.js'
import type { Signal } from '../threads/signal.js'
import type { BootData } from './boot.js'
import type { Loader } from './entry.js'
import type { Host } from './host.js'
import { Thread } from './thread.js'

/** What threads and their links are made of, so that a simulation can make them of something else. */
export interface Machinery {
  /** The time that threads have to end, whatever clock the processes of main go by. */
  readonly clock: Clock
  readonly load: Loader
  readonly source: ThreadSource
  readonly carrier: Carrier
  readonly batch: Batch
}

/** What is the same for every thread of a system. */
export type SharedData = Omit<BootData, 'thread' | 'place' | 'isolated'>

const program = new URL('./boot.js', import.meta.url).href

/** The worker threads that run now: opens them, and joins them by links. */
export class ThreadTable implements Iterable<Thread> {
  readonly #machinery: Machinery
  readonly #host: Host
  readonly #data: SharedData
  readonly #bury: (thread: Thread, end: ThreadEnd) => Promise<void>
  readonly #threads = new Map<number, Thread>()
  #last = MAIN

  /** @param bury runs when the program of a thread has ended, or its worker has; the thread is in the table until then */
  constructor(
    machinery: Machinery,
    host: Host,
    data: SharedData,
    bury: (thread: Thread, end: ThreadEnd) => Promise<void>,
  ) {
    this.#machinery = machinery
    this.#host = host
    this.#data = data
    this.#bury = bury
  }

  get(id: number): Thread | undefined {
    return this.#threads.get(id)
  }

  [Symbol.iterator](): IterableIterator<Thread> {
    return this.#threads.values()
  }

  isSystem({ place }: Thread): boolean {
    return place !== undefined && this.#host.placement.isSystem(place)
  }

  /** Starts a thread in every place and joins each to each. */
  openPlaces(): Thread[] {
    const places = Array.from({ length: this.#host.placement.places }, (_, place) => this.openPlace(place))
    for (const thread of places) this.#join(thread, isSeated)
    return places
  }

  openPlace(place: number): Thread {
    const thread = this.#open(place)
    this.#host.placement.seat(place, thread.id)
    return thread
  }

  /** A thread that waits for a place, joined as if it had one. */
  openStandby(): Thread {
    const thread = this.#open(undefined)
    this.#join(thread, isSeated)
    return thread
  }

  /**
   * Gives a place to a thread that waits for one. It hears of it from main, and may be asked to run a process by a thread
   * that looked into the roster before that: so it is main that lets it beat first, or the watchdog would take it for one
   * that has not begun, however long that process kept it from listening.
   */
  seat(thread: Thread, place: number): void {
    this.#join(thread, isSeated)
    thread.place = place
    const { placement, mesh } = this.#host
    placement.seat(place, thread.id)
    if (thread.runs) placement.beat(place)
    mesh.send(thread.id, { kind: 'seat', place })
  }

  openIsolated(limits?: ResourceLimits): Thread {
    const thread = this.#open('isolated', limits)
    this.joinSystem(thread)
    return thread
  }

  /** Before anything runs there: code that never lets its event loop turn could not be joined to them later. */
  joinSystem(thread: Thread): void {
    this.#join(thread, (other) => this.isSystem(other))
  }

  #join(thread: Thread, wanted: (other: Thread) => boolean): void {
    for (const other of this) if (other !== thread && wanted(other)) this.connect(other, thread)
  }

  #open(place: number | 'isolated' | undefined, limits?: ResourceLimits): Thread {
    const { source, carrier, batch } = this.#machinery
    const id = ++this.#last
    const isolated = place === 'isolated'
    const seat = isolated ? undefined : place
    const [here, there] = carrier.pair(MAIN, id, isolated)
    const data: BootData = { ...this.#data, thread: id, place: seat, isolated }
    const task = { module: program, data, end: there }
    const running = isolated ? source.isolated(task, limits) : source.shared(task)
    const thread = new Thread(id, isolated, seat, running, this.#bury)
    this.#threads.set(id, thread)
    const events = {
      arrive: (work: () => void) => this.#host.arrive(work),
      receive: (signal: Signal, from: number) => this.#host.receive(signal, from),
      spilled: () => this.#host.spilled(),
      lost: (signal: Signal, error: BeamlineError) => this.#host.lost(signal, error),
      closed: (peer: number) => {
        thread.linkClosed()
        this.#host.closed(peer)
      },
    }
    this.#host.mesh.connect(carrier.attach(here, id, batch, events))
    return thread
  }

  connect(a: Thread, b: Thread): void {
    if (a.links.has(b.id)) return
    a.links.add(b.id)
    b.links.add(a.id)
    const [ofA, ofB] = this.#machinery.carrier.pair(a.id, b.id, a.isolated || b.isolated)
    this.#host.mesh.send(a.id, { kind: 'connect', thread: b.id, end: ofA }, portsOf(ofA))
    this.#host.mesh.send(b.id, { kind: 'connect', thread: a.id, end: ofB }, portsOf(ofB))
  }

  /** A thread is gone. */
  delete({ id, links }: Thread): void {
    this.#threads.delete(id)
    this.#machinery.carrier.forget?.(id)
    for (const peer of links) this.#threads.get(peer)?.links.delete(id)
  }
}

const isSeated = ({ place }: Thread): boolean => place !== undefined
