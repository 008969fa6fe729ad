import type { ResourceLimits } from 'node:worker_threads'
import { BeamlineError } from '../errors.js'
import { MAIN } from '../threads/mesh.js'
import { copy, moved, type Payload, pack, unpack } from '../threads/payload.js'
import { Pid, Ref } from '../threads/pid.js'
import type { SpawnSignal } from '../threads/signal.js'
import { Attempt, GivenUp } from './attempt.js'
import { type BehaviourFn, isBehaviourFn, type ProcessFn } from './behaviour.js'
import type { Birth } from './birth.js'
import { type Birthright, birthrightOf, type InnerOptions } from './birthright.js'
import { timedOut } from './calls.js'
import type { Cell } from './cell.js'
import { bindTo, endedEarly, runUntilReady } from './cradle.js'
import { Entries, type Entry, type EntryName, nameOf } from './entry.js'
import type { Host } from './host.js'
import type { MailboxLimit } from './mailbox.js'
import { type ServerClass, serverSpawn } from './server.js'
import type { Name } from './via.js'

/** What can be spawned: a closure, on the caller's own thread, or a module's export, on any. */
export type Spawnable<A = unknown> = ProcessFn<A> | BehaviourFn<A> | Entry

/**
 * Where a process runs: `auto` shares one of the scheduler threads, a number names one of them (taken modulo their
 * count), `main` is the thread that started the system, `system` one that only runs the library's own actors, and
 * `isolated` a new worker thread for this process alone, so that it can be killed in the middle of an endless loop.
 */
export type Placement = 'auto' | 'main' | 'system' | 'isolated' | number

export interface SpawnOptions {
  /** Registers the process under this name, or several, before it runs; keys of registries among them. */
  readonly name?: Name | readonly Name[]
  /** `auto` for an entry unless told; a closure stays where it is. */
  readonly thread?: Placement
  /** Links the new process to its parent, so that neither misses the other's death. */
  readonly link?: boolean
  /** Lets the parent monitor the new process; a {@link Ref} made before is used for the `DOWN`. */
  readonly monitor?: boolean | Ref
  /** For an isolated process: as for a `Worker` of `node:worker_threads`. */
  readonly resourceLimits?: ResourceLimits
  /** Bounds the mailbox; without it, it is unbounded. */
  readonly mailbox?: MailboxLimit
  /** What `info` calls the process; its module and export unless told. */
  readonly label?: string
  /**
   * Milliseconds in which the process must be ready: for a behaviour, such as a server, its `init` must be done. When
   * they are over the process is killed, and once it is dead the start is rejected with CALL_TIMEOUT; a parent that was to
   * be linked to it lives on. `Infinity` unless told. Mirrors the `timeout` of `GenServer.start/3`.
   */
  readonly timeout?: number
}

type Body = ProcessFn | BehaviourFn

interface Expected {
  readonly parent: Cell
  readonly right: Birthright
  pid: Pid | undefined
  /** Its time was over before it was ready. */
  late: boolean
}

/** Starts processes: here, or by asking the host of another thread. */
export class Spawner {
  readonly #host: Host
  readonly #entries: Entries
  readonly #expected = new Map<number, Expected>()
  /** What other threads have asked for and may give up, by the reference of their spawn. */
  readonly #attempts = new Map<string, Attempt>()
  #lastBirth: Birth = { parent: undefined, label: '', limit: undefined }

  constructor(host: Host) {
    this.#host = host
    this.#entries = new Entries(host.load)
  }

  spawn(parent: Cell, what: Spawnable, args: unknown, options: InnerOptions): Promise<Pid> {
    try {
      this.#host.assertRunning()
      return parent.alive ? this.#spawn(parent, what, args, options) : parent.over()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #spawn(parent: Cell, what: Spawnable, args: unknown, options: InnerOptions): Promise<Pid> {
    const name = typeof what === 'function' ? undefined : nameOf(what)
    const entry = name ? `${name.module}#${name.export}` : (what as ProcessFn).name || 'closure'
    const right = birthrightOf(options, entry, () => this.#host.ref())
    if (name === undefined) return this.#closure(parent, what as ProcessFn, args, right)
    const thread = this.#threadFor(right.thread)
    if (thread !== this.#host.thread || right.thread === 'isolated')
      return parent.own(this.#remote(parent, name, args, right, thread))
    const copied = copy(args)
    return parent.own(this.#local(parent, this.#entries.load(name), copied, right))
  }

  /** Starts a server class: by its module on any thread, or, when it names none, on this one. */
  start(parent: Cell, type: ServerClass, args: unknown, options: SpawnOptions): Promise<Pid> {
    const spawn = serverSpawn(type, args)
    const preload = type.module === undefined ? undefined : [type.module]
    return this.spawn(parent, spawn.what, spawn.args, { label: type.name, ...options, preload })
  }

  #closure(parent: Cell, body: Body, args: unknown, right: Birthright): Promise<Pid> {
    const elsewhere = right.thread === 'isolated' || this.#threadFor(right.thread, true) !== this.#host.thread
    if (elsewhere) {
      const message = `a closure cannot leave its thread for '${right.thread}': put it in a module and give { module, export }`
      throw new BeamlineError('BAD_ENTRY', message)
    }
    const waits = right.names.length > 0 || right.timeout !== Number.POSITIVE_INFINITY || isBehaviourFn(body)
    return waits
      ? parent.own(this.#local(parent, body, args, right))
      : this.#atOnce(parent, body as ProcessFn, args, right)
  }

  /** Nothing has to be waited for. Resolves as the function is called. */
  #atOnce(parent: Cell, body: ProcessFn, args: unknown, right: Birthright): Promise<Pid> {
    const cell = this.#open(parent.pid, right)
    bindTo(cell, parent.pid, right)
    this.#adopt(parent, right, cell.pid)
    return new Promise((resolve) => {
      cell.run(body, args, () => {
        if (parent.runsOn) resolve(cell.pid)
      })
    })
  }

  #local(parent: Cell, body: Body | Promise<Body>, args: unknown, right: Birthright): Promise<Pid> {
    if (right.timeout === Number.POSITIVE_INFINITY) return this.#begin(parent, body, args, right)
    const attempt = new Attempt()
    const abandoned = () => {
      if (attempt.cell !== undefined) parent.ties.links.delete(attempt.cell.pid.toString())
      attempt.cancel()
    }
    const ref = this.#host.ref()
    const { calls, thread } = this.#host
    const started = calls.open(ref, { thread, what: startOf(right), timeout: right.timeout, abandoned })
    this.#begin(parent, body, args, right, attempt).then(
      (pid) => calls.settle(ref.serial, 'value', pid),
      (error) => calls.settle(ref.serial, 'error', error),
    )
    return started as Promise<Pid>
  }

  async #begin(
    parent: Cell,
    body: Body | Promise<Body>,
    args: unknown,
    right: Birthright,
    attempt?: Attempt,
  ): Promise<Pid> {
    const loaded = await body
    const cell = await this.#birth(parent.pid, right, attempt)
    this.#adopt(parent, right, cell.pid)
    await runUntilReady(cell, loaded, args)
    return cell.pid
  }

  async #remote(parent: Cell, name: EntryName, args: unknown, right: Birthright, thread: number): Promise<Pid> {
    const ref = this.#host.ref()
    const expected: Expected = { parent, right, pid: undefined, late: false }
    // Cloned before anything begins, as only that finds out about a proxy.
    const payload = moved(pack(args)) as Payload
    const birthright = pack(right)
    this.#expected.set(ref.serial, expected)
    const what = startOf(right)
    const late = () => this.#tooLate(ref, expected, thread)
    // Without an owner: whatever becomes of the parent, what was begun here is ended here.
    const ready = this.#host.calls.open(ref, { thread, what, timeout: right.timeout, late })
    const signal: SpawnSignal = {
      kind: 'spawn',
      ref: ref.raw,
      parent: parent.pid.raw,
      ...name,
      isolated: right.thread === 'isolated',
      args: payload,
      options: birthright,
    }
    if (thread === this.#host.thread) this.#host.control.openIsolated(signal)
    else if (!this.#host.mesh.send(thread, signal)) this.#host.calls.settle(ref.serial, 'exit', 'noconnection')
    try {
      await ready
      if (!expected.late) return expected.pid as Pid
    } catch (error) {
      if (!expected.late) throw error
    } finally {
      this.#expected.delete(ref.serial)
    }
    if (expected.pid !== undefined) await this.#host.router.kill(expected.pid)
    throw timedOut(what, right.timeout)
  }

  /** The new process is given up. Its end is waited for: it may be ready by now, or need its thread to be ended. */
  #tooLate(ref: Ref, expected: Expected, thread: number): void {
    const { parent, right, pid } = expected
    const isolated = right.thread === 'isolated'
    expected.late = true
    if (pid !== undefined) {
      parent.ties.links.delete(pid.toString())
      if (!isolated) this.#host.control.suspect(pid)
    }
    if (thread === this.#host.thread) this.#host.control.closeIsolated(ref.raw)
    else this.#host.mesh.send(thread, { kind: 'cancel', ref: ref.raw, isolated })
  }

  /** Another thread gives up a process that it asked this one for. */
  cancel(ref: Ref): void {
    const attempt = this.#attempts.get(ref.toString())
    // The exit of one that was born is answer enough.
    if (attempt === undefined || attempt.cancel()) return
    const from = { pid: this.#host.pidOf(ref.thread), ref, callee: undefined }
    this.#host.router.reply(undefined, from, 'exit', 'killed')
  }

  /** A process this thread asked for exists: its parent's side of links and monitors. */
  born(ref: Ref, pid: Pid): void {
    const expected = this.#expected.get(ref.serial)
    if (expected === undefined) return
    expected.pid = pid
    this.#host.calls.move(ref.serial, pid.thread, pid)
    this.#adopt(expected.parent, expected.right, pid, expected.late)
  }

  #adopt(parent: Cell, right: Birthright, pid: Pid, late = false): void {
    if (parent.alive) {
      if (right.link && !late) parent.ties.links.set(pid.toString(), pid)
      if (right.monitor !== undefined) parent.ties.monitors.add({ pid, ref: right.monitor })
    } else if (right.link) {
      this.#host.router.exit(parent.pid, pid, 'noproc', true)
    }
  }

  /** Another thread asks for a process on this one. */
  async receive(signal: SpawnSignal & { kind: 'spawn' }): Promise<void> {
    const parent = Pid.fromRaw(this.#host.node, signal.parent)
    const from = { pid: parent, ref: Ref.fromRaw(this.#host.node, signal.ref), callee: undefined }
    const right = unpack(signal.options) as Birthright
    const attempt = right.timeout === Number.POSITIVE_INFINITY ? undefined : new Attempt()
    if (attempt !== undefined) this.#attempts.set(from.ref.toString(), attempt)
    try {
      const body = await this.#entries.load(signal)
      const cell = await this.#birth(parent, right, attempt)
      const told = this.#host.mesh.send(parent.thread, { kind: 'spawned', ref: signal.ref, pid: cell.pid.raw })
      if (!told && right.link) cell.receiveExit(parent, 'noproc', true)
      if (!cell.alive) return
      await runUntilReady(cell, body, unpack(signal.args), () => {
        this.#host.router.reply(undefined, from, 'value', undefined)
        this.#host.onReady?.(right.preload ?? [signal.module])
      })
    } catch (error) {
      // Who has given it up has been answered, unless it was born.
      if (!(error instanceof GivenUp)) this.#host.router.reply(undefined, from, 'error', error)
      this.#host.childless()
    } finally {
      this.#attempts.delete(from.ref.toString())
    }
  }

  async #birth(parent: Pid, right: Birthright, attempt: Attempt | undefined): Promise<Cell> {
    if (attempt?.cancelled) throw new GivenUp()
    const cell = this.#open(parent, right)
    if (attempt !== undefined) attempt.cell = cell
    for (const name of right.names) await this.#register(cell, name)
    if (!cell.alive) throw endedEarly(cell, 'killed')
    bindTo(cell, parent, right)
    return cell
  }

  #open(parent: Pid, { label, mailbox }: Birthright): Cell {
    const last = this.#lastBirth
    // Many of a kind are often spawned in a row: it takes 48 bytes less for each, and a pid for those of other threads.
    if (!last.parent?.equals(parent) || last.label !== label || last.limit !== mailbox)
      this.#lastBirth = { parent, label, limit: mailbox }
    return this.#host.open(this.#lastBirth)
  }

  async #register(cell: Cell, name: Name): Promise<void> {
    try {
      await this.#host.naming.register(cell, name)
    } catch (error) {
      cell.exit('normal')
      throw error
    }
  }

  #threadFor(placement: Placement, closure = false): number {
    if (placement === 'main' || placement === 'isolated') return MAIN
    if (placement === 'auto') return closure ? this.#host.thread : this.#host.placement.next()
    if (placement === 'system') return this.#host.placement.system()
    if (typeof placement === 'number' && Number.isInteger(placement) && placement >= 0)
      return this.#host.placement.at(placement)
    throw new BeamlineError(
      'BAD_ENTRY',
      `'${placement}' is no thread: give 'auto', 'main', 'isolated' or a whole number from 0`,
    )
  }
}

const startOf = (right: Birthright): string => `the start of ${right.label}`
