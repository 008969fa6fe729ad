import type { ResourceLimits } from 'node:worker_threads'
import { BeamlineError } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import { type Batch, type Carrier, portsOf } from '../threads/link.js'
import { MAIN } from '../threads/mesh.js'
import { pack, unpack } from '../threads/payload.js'
import { Pid, type RawPid, type RawRef, Ref } from '../threads/pid.js'
import type { RunningThread, ThreadEnd, ThreadSource, ThreadTask } from '../threads/pools.js'
import type { Signal, SpawnSignal, ThreadSignal } from '../threads/signal.js'
import type { Birthright } from './birthright.js'
import type { BootData } from './boot.js'
import type { Loader } from './entry.js'
import { type ExitReason, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import type { ThreadControl } from './host-parts.js'
import { inspect } from './inspect.js'
import type { NameClaim } from './names.js'
import { Spares } from './spares.js'
import { Thread } from './thread.js'
import { type Verdict, verdictOf } from './verdict.js'
import type { Watchdog } from './watchdog.js'

/** A worker thread that runs now. */
export interface ThreadInfo {
  readonly id: number
  /** `spare`: warm, and waits for an isolated process; one that is not warm yet counts as `isolated`. */
  readonly kind: 'scheduler' | 'system' | 'isolated' | 'spare'
}

/** What threads and their links are made of, so that a simulation can make them of something else. */
export interface Machinery {
  /** The time that threads have to end, whatever clock the processes of main go by. */
  readonly clock: Clock
  readonly load: Loader
  readonly source: ThreadSource
  readonly carrier: Carrier
  readonly batch: Batch
}

const program = new URL('./boot.js', import.meta.url).href
/** Milliseconds to wait for the link of an ended thread to close. */
const GRACE = 250

/** Main's half of everything about threads: it starts them, joins them by links, grants names, and tells of deaths. */
export class ThreadKeeper implements ThreadControl {
  readonly #machinery: Machinery
  readonly #threads = new Map<number, Thread>()
  #host!: Host
  #watchdog!: Watchdog
  #boot!: Omit<BootData, 'thread' | 'place'>
  readonly #spares: Spares
  #last = MAIN
  #stopping = false
  /** Runs when a thread asks for the whole system to stop. */
  onStop: (() => void) | undefined

  /** @param spares isolated threads kept warm; see {@link Spares} */
  constructor(machinery: Machinery, spares: number | undefined) {
    this.#machinery = machinery
    this.#spares = new Spares(spares, {
      open: () => this.#openIsolated(),
      preload: ({ id }, modules) => void this.#host.mesh.send(id, { kind: 'preload', modules }),
    })
  }

  /** Starts a thread for every place of the roster and joins each to each. */
  async start(host: Host, watchdog: Watchdog, boot: Omit<BootData, 'thread' | 'place'>): Promise<void> {
    this.#host = host
    this.#watchdog = watchdog
    this.#boot = boot
    const shared = Array.from({ length: host.placement.places }, (_, place) => this.#openShared(place))
    for (const a of shared) for (const b of shared) if (a.id < b.id) this.#connect(a, b)
    const ready = await Promise.all(shared.map((thread) => thread.ready))
    if (!ready.every(Boolean))
      throw new BeamlineError('UNAVAILABLE', 'a worker thread could not start: see the warning before this')
    this.#spares.fill()
  }

  /** The threads that run now. */
  list(): ThreadInfo[] {
    return [...this.#threads.values()].map((thread) => ({ id: thread.id, kind: this.#kindOf(thread) }))
  }

  #kindOf(thread: Thread): ThreadInfo['kind'] {
    if (thread.place === undefined) return this.#spares.isWarm(thread) ? 'spare' : 'isolated'
    return this.#isSystem(thread) ? 'system' : 'scheduler'
  }

  #openShared(place: number): Thread {
    const thread = this.#open(place, (task) => this.#machinery.source.shared(task))
    this.#host.placement.seat(place, thread.id)
    return thread
  }

  #openIsolated(limits?: ResourceLimits): Thread {
    const thread = this.#open(undefined, (task) => this.#machinery.source.isolated(task, limits))
    this.#joinSystem(thread)
    return thread
  }

  #open(place: number | undefined, run: (task: ThreadTask) => RunningThread): Thread {
    const id = ++this.#last
    const [here, there] = this.#machinery.carrier.pair(MAIN, id, place === undefined)
    const running = run({ module: program, data: { ...this.#boot, thread: id, place } satisfies BootData, end: there })
    const thread = new Thread(id, place, running, (dead, end) => this.#bury(dead, end))
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
    this.#host.mesh.connect(this.#machinery.carrier.attach(here, id, this.#machinery.batch, events))
    return thread
  }

  /** Before anything runs there: code that never lets its event loop turn could not be joined to them later. */
  #joinSystem(thread: Thread): void {
    for (const system of this.#threads.values()) if (this.#isSystem(system)) this.#connect(system, thread)
  }

  #isSystem({ place }: Thread): boolean {
    return place !== undefined && this.#host.placement.isSystem(place)
  }

  #connect(a: Thread, b: Thread): void {
    if (a.links.has(b.id)) return
    a.links.add(b.id)
    b.links.add(a.id)
    const narrow = a.place === undefined || b.place === undefined
    const [ofA, ofB] = this.#machinery.carrier.pair(a.id, b.id, narrow)
    this.#host.mesh.send(a.id, { kind: 'connect', thread: b.id, end: ofA }, portsOf(ofA))
    this.#host.mesh.send(b.id, { kind: 'connect', thread: a.id, end: ofB }, portsOf(ofB))
  }

  /** A thread's program has ended, or its worker has. Its processes are dead once nothing of it can arrive any more. */
  async #bury(thread: Thread, end: ThreadEnd): Promise<void> {
    const { id } = thread
    const { clock } = this.#machinery
    const timer = clock.setTimeout(thread.linkClosed, GRACE)
    await thread.closed
    clock.clearTimeout(timer)
    this.#threads.delete(id)
    this.#machinery.carrier.forget?.(id)
    for (const peer of thread.links) this.#threads.get(peer)?.links.delete(id)
    const living = this.#host.processes.closeThread(id)
    this.#host.ledger.leave(id)
    const resident = thread.resident === undefined ? [] : [thread.resident]
    const { reason, others, pids = resident } = thread.verdict ?? verdictOf(end, thread, this.#host.node)
    const why = { pids, reason: pack(reason), others: pack(others) }
    const death = { kind: 'thread-down', thread: id, living, ...why } as const
    thread.isReady(false)
    this.#spares.gone(thread)
    // First: whoever hears of a death and spawns again must find the place taken by a thread that lives.
    if (!this.#stopping && thread.place !== undefined) await this.#replace(thread, thread.place, others)
    this.#host.threadDown(death)
    this.#host.mesh.broadcast(death)
  }

  /** A place is never empty for long; but a thread that cannot even start is not tried for ever. */
  async #replace(dead: Thread, place: number, reason: ExitReason): Promise<void> {
    if (await dead.ready) this.#openShared(place)
    else process.emitWarning(`a worker thread could not start: ${JSON.stringify(reason)}`, { code: 'BEAMLINE_THREAD' })
  }

  /** The watchdog found a thread stuck: because of those who were told to die, else of what ran last. */
  stuck(id: number, suspects: readonly Pid[], slot: number | undefined): void {
    const culprit = suspects[0] ?? (slot === undefined ? undefined : this.#host.processes.inSlot(id, slot))
    const others = { hostKilled: culprit ?? null }
    this.end(id, { reason: 'killed', others, pids: suspects.map(({ raw }) => raw) })
  }

  /** Ends a thread, wherever its code is. */
  end(id: number, verdict: Verdict): void {
    this.#threads.get(id)?.end(verdict)
  }

  openIsolated(spawn: SpawnSignal & { kind: 'spawn' }): void {
    const parent = Pid.fromRaw(this.#host.node, spawn.parent)
    if (this.#stopping) {
      const from = { pid: parent, ref: Ref.fromRaw(this.#host.node, spawn.ref), callee: undefined }
      return this.#host.router.reply(undefined, from, 'error', new BeamlineError('STOPPED', 'the system is stopping'))
    }
    const { resourceLimits, preload = [spawn.module] } = unpack(spawn.options) as Partial<Birthright>
    const spare = resourceLimits === undefined ? this.#spares.take() : undefined
    const thread = spare ?? this.#openIsolated(resourceLimits)
    this.#joinSystem(thread)
    thread.spawn = spawn.ref
    thread.modules = preload
    const asker = this.#threads.get(parent.thread)
    if (asker !== undefined) this.#connect(asker, thread)
    if (asker === undefined) this.#host.calls.move(spawn.ref[1], thread.id)
    else this.#host.mesh.send(asker.id, { kind: 'opened', ref: spawn.ref, thread: thread.id })
    this.#host.mesh.send(thread.id, spawn)
  }

  closeIsolated([asker, serial]: RawRef): void {
    for (const { id, spawn, resident } of this.#threads.values()) {
      if (spawn?.[0] !== asker || spawn[1] !== serial) continue
      const others = resident === undefined ? 'killed' : { hostKilled: Pid.fromRaw(this.#host.node, resident) }
      this.end(id, { reason: 'killed', others })
    }
  }

  dial(): void {
    // Main has a link to every thread that lives.
  }

  async claimName(name: string, pid: Pid): Promise<NameClaim> {
    return this.#host.names.claim(name, pid.raw)
  }

  job(...asked: Parameters<ThreadSource['job']>): Promise<unknown> {
    return this.#machinery.source.job(...asked)
  }

  suspect(pid: Pid): void {
    const thread = this.#threads.get(pid.thread)
    if (thread === undefined) return
    const isResident = thread.resident === undefined || pid.equals(Pid.fromRaw(pid.node, thread.resident))
    if (thread.place !== undefined || !isResident) this.#watchdog.suspect(thread.place, pid)
    else this.end(thread.id, { reason: 'killed', others: { hostKilled: pid } })
  }

  receive(signal: ThreadSignal, from: number): void {
    const thread = this.#threads.get(from)
    switch (signal.kind) {
      case 'ready':
        if (thread !== undefined) this.#ready(thread, signal.pid)
        return
      case 'loaded':
        if (thread !== undefined) this.#spares.loaded(thread)
        return
      case 'dial':
        return this.#dialled(thread, signal.thread)
      case 'suspect':
        return this.suspect(Pid.fromRaw(this.#host.node, signal.pid))
      case 'done':
        // Its processes have told of their deaths themselves; who asks for one now is too late.
        return this.end(from, { reason: 'noproc', others: 'noproc' })
      case 'last-words': {
        if (thread !== undefined) thread.lastWords = reasonFrom(unpack(signal.error))
        return
      }
      case 'claim':
        return this.#claim(signal)
      case 'inspect':
        return inspect(this.#host, signal, from)
      case 'stop':
        return this.onStop?.()
    }
  }

  #ready(thread: Thread, resident: RawPid | undefined): void {
    thread.resident ??= resident
    thread.isReady(true)
    this.#spares.booted(thread)
    if (resident !== undefined) this.#spares.settled(thread.modules)
  }

  #dialled(caller: Thread | undefined, called: number): void {
    const other = this.#threads.get(called)
    if (caller === undefined) return
    if (other !== undefined) return this.#connect(caller, other)
    const why = { pids: [], reason: pack('noproc'), others: pack('noproc') }
    this.#host.mesh.send(caller.id, { kind: 'thread-down', thread: called, living: new Map(), ...why })
  }

  #claim({ ref, name, pid }: ThreadSignal & { kind: 'claim' }): void {
    const claimant = Pid.fromRaw(this.#host.node, pid)
    const from = { pid: claimant, ref: Ref.fromRaw(this.#host.node, ref), callee: undefined }
    try {
      this.#host.router.reply(undefined, from, 'value', this.#host.names.claim(name, pid))
    } catch (error) {
      this.#host.router.reply(undefined, from, 'error', error)
    }
  }

  /** Stops the threads that run users' code, then those of the library's own actors; kills what does not obey. */
  async stop(timeout: number): Promise<void> {
    this.#stopping = true
    this.#spares.stop()
    const { clock } = this.#machinery
    const all = [...this.#threads.values()]
    for (const group of [
      all.filter((thread) => !this.#isSystem(thread)),
      all.filter((thread) => this.#isSystem(thread)),
    ]) {
      for (const { id } of group) this.#host.mesh.send(id, { kind: 'stop', timeout })
      const timer = clock.setTimeout(() => {
        for (const { id } of group) this.end(id, { reason: 'killed', others: 'killed' })
      }, timeout + GRACE)
      await Promise.all(group.map((thread) => thread.gone))
      clock.clearTimeout(timer)
    }
    await this.#machinery.source.close()
  }
}
