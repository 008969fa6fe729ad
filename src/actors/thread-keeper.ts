import { BeamlineError } from '../errors.js'
import { pack, unpack } from '../threads/payload.js'
import { Pid, type RawPid, type RawRef, Ref } from '../threads/pid.js'
import type { ThreadEnd, ThreadSource } from '../threads/pools.js'
import type { SpawnSignal, ThreadSignal } from '../threads/signal.js'
import type { Birthright } from './birthright.js'
import { type ExitReason, reasonFrom } from './exit-reason.js'
import type { Host } from './host.js'
import type { ThreadControl } from './host-parts.js'
import { inspect } from './inspect.js'
import type { NameClaim } from './names.js'
import { Spares } from './spares.js'
import type { Thread } from './thread.js'
import { type Machinery, type SharedData, ThreadTable } from './thread-table.js'
import { type Verdict, verdictOf } from './verdict.js'
import type { Watchdog } from './watchdog.js'

/** A worker thread that runs now. */
export interface ThreadInfo {
  readonly id: number
  /**
   * `spare`: warm, and waits for an isolated process or for the place of a system thread; one that is not warm yet counts
   * as `isolated`.
   */
  readonly kind: 'scheduler' | 'system' | 'isolated' | 'spare'
}

/** Milliseconds to wait for the link of an ended thread to close. */
const GRACE = 250

const isolatedSpares = { usual: 2, pause: 0 }
/** A context is back in service within some 20 ms where nothing else is done meanwhile. */
const systemSpares = { usual: 1, pause: 30 }

/** Main's half of everything about threads: it decides which run, grants names, and tells of deaths. */
export class ThreadKeeper implements ThreadControl {
  readonly #machinery: Machinery
  #threads!: ThreadTable
  #host!: Host
  #watchdog!: Watchdog
  readonly #spares: Spares
  /** Threads that wait to take the place of a system thread. */
  readonly #standby: Spares
  readonly #waiting: readonly Spares[]
  #stopping = false
  /** Runs when a thread asks for the whole system to stop. */
  onStop: (() => void) | undefined

  /** @param spares isolated threads kept warm; 0 for no thread that waits for anything; see {@link Spares} */
  constructor(machinery: Machinery, spares: number | undefined) {
    this.#machinery = machinery
    const preload = ({ id }: Thread, modules: readonly string[]) =>
      void this.#host.mesh.send(id, { kind: 'preload', modules })
    this.#spares = new Spares(
      { ...isolatedSpares, count: spares },
      { open: () => this.#threads.openIsolated(), preload },
    )
    this.#standby = new Spares(
      { ...systemSpares, count: spares === 0 ? 0 : undefined },
      { open: () => this.#threads.openStandby(), preload },
    )
    this.#waiting = [this.#spares, this.#standby]
  }

  /** Starts a thread for every place of the roster and joins each to each. */
  async start(host: Host, watchdog: Watchdog, data: SharedData): Promise<void> {
    this.#host = host
    this.#watchdog = watchdog
    this.#threads = new ThreadTable(this.#machinery, host, data, (dead, end) => this.#bury(dead, end))
    const ready = await Promise.all(this.#threads.openPlaces().map((thread) => thread.ready))
    if (!ready.every(Boolean))
      throw new BeamlineError('UNAVAILABLE', 'a worker thread could not start: see the warning before this')
    this.#spares.fill()
  }

  /** The threads that run now. */
  list(): ThreadInfo[] {
    return Array.from(this.#threads, (thread) => ({ id: thread.id, kind: this.#kindOf(thread) }))
  }

  #kindOf(thread: Thread): ThreadInfo['kind'] {
    if (thread.place === undefined) return this.#waiting.some((spares) => spares.isWarm(thread)) ? 'spare' : 'isolated'
    return this.#threads.isSystem(thread) ? 'system' : 'scheduler'
  }

  /** A thread's program has ended, or its worker has. Its processes are dead once nothing of it can arrive any more. */
  async #bury(thread: Thread, end: ThreadEnd): Promise<void> {
    const { id } = thread
    const { clock } = this.#machinery
    const timer = clock.setTimeout(thread.linkClosed, GRACE)
    await thread.closed
    clock.clearTimeout(timer)
    this.#threads.delete(thread)
    const living = this.#host.processes.closeThread(id)
    this.#host.ledger.leave(id)
    const resident = thread.resident === undefined ? [] : [thread.resident]
    const { reason, others, pids = resident } = thread.verdict ?? verdictOf(end, thread, this.#host.node)
    const why = { pids, reason: pack(reason), others: pack(others) }
    const death = { kind: 'thread-down', thread: id, living, ...why } as const
    thread.isReady(false)
    for (const spares of this.#waiting) spares.gone(thread)
    // First: whoever hears of a death and spawns again must find the place taken by a thread that lives.
    if (!this.#stopping && thread.place !== undefined) await this.#replace(thread, thread.place, others)
    this.#host.threadDown(death)
    this.#host.mesh.broadcast(death)
  }

  /** A place is never empty for long; but a thread that cannot even start is not tried for ever. */
  async #replace(dead: Thread, place: number, reason: ExitReason): Promise<void> {
    if (!(await dead.ready)) {
      const code = 'BEAMLINE_THREAD'
      return process.emitWarning(`a worker thread could not start: ${JSON.stringify(reason)}`, { code })
    }
    const standby = this.#threads.isSystem(dead) ? this.#standby.take() : undefined
    if (standby === undefined) this.#threads.openPlace(place)
    else this.#threads.seat(standby, place)
    this.#standby.fill()
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
    const thread = spare ?? this.#threads.openIsolated(resourceLimits)
    this.#threads.joinSystem(thread)
    thread.spawn = spawn.ref
    thread.modules = preload
    const asker = this.#threads.get(parent.thread)
    if (asker !== undefined) this.#threads.connect(asker, thread)
    if (asker === undefined) this.#host.calls.move(spawn.ref[1], thread.id)
    else this.#host.mesh.send(asker.id, { kind: 'opened', ref: spawn.ref, thread: thread.id })
    this.#host.mesh.send(thread.id, spawn)
  }

  closeIsolated([asker, serial]: RawRef): void {
    for (const { id, spawn, resident } of this.#threads) {
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
        if (thread !== undefined) for (const spares of this.#waiting) spares.loaded(thread)
        return
      case 'runs':
        return this.#standby.need(signal.modules)
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
    thread.runs = true
    thread.isReady(true)
    for (const spares of this.#waiting) spares.booted(thread)
    if (resident !== undefined) this.#spares.settled(thread.modules)
  }

  #dialled(caller: Thread | undefined, called: number): void {
    const other = this.#threads.get(called)
    if (caller === undefined) return
    if (other !== undefined) return this.#threads.connect(caller, other)
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
    for (const spares of this.#waiting) spares.stop()
    const { clock } = this.#machinery
    const all = [...this.#threads]
    for (const group of [
      all.filter((thread) => !this.#threads.isSystem(thread)),
      all.filter((thread) => this.#threads.isSystem(thread)),
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
