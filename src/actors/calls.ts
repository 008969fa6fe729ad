import { BeamlineError } from '../errors.js'
import type { Clock, Timer } from '../threads/clock.js'
import type { Pid, Ref } from '../threads/pid.js'
import { describe, type ExitReason, errorFrom } from './exit-reason.js'
import { RefMap } from './ref-map.js'

/** Who asks, as far as the end of the wait goes. */
export interface Asker {
  /** Questions of it that are not answered yet. */
  openCalls: number
}

/** A question that one process puts to another, or to a thread's host. */
export interface Question {
  /** The process that asks; its death ends the wait. */
  readonly owner?: Asker | undefined
  /** The process that is asked. */
  readonly callee?: Pid
  /** The thread that is asked. */
  readonly thread: number
  /** What is asked, for error messages. */
  readonly what: string
  /** Milliseconds to wait; `Infinity` waits for ever. */
  readonly timeout: number
  /** Runs when the wait ends without an answer from the callee. */
  abandoned?(): void
  /** Runs when the callee has answered, before who asked goes on. */
  settled?(): void
  /** What who asked is told instead of this, when the callee has died. */
  refused?(error: BeamlineError): BeamlineError
  /** Runs when the time is over, and the wait goes on: whoever asked sees to its end. */
  late?(): void
}

/** A question that waits for its answer. */
class Pending {
  readonly ref: Ref
  readonly question: Question
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  callee: Pid | undefined
  thread: number
  timer: Timer | undefined

  constructor(ref: Ref, question: Question, resolve: (value: unknown) => void, reject: (error: unknown) => void) {
    this.ref = ref
    this.question = question
    this.resolve = resolve
    this.reject = reject
    this.callee = question.callee
    this.thread = question.thread
  }
}

/** The questions of one thread's processes that are not answered yet. */
export class Calls {
  readonly #pending = new RefMap<Pending>()
  readonly #thread: number
  readonly #clock: Clock

  constructor(thread: number, clock: Clock) {
    this.#thread = thread
    this.#clock = clock
  }

  get size(): number {
    return this.#pending.size
  }

  /** Waits for the answer that carries `ref`. */
  open(ref: Ref, question: Question): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const { owner, timeout } = question
      const pending = new Pending(ref, question, resolve, reject)
      if (timeout !== Number.POSITIVE_INFINITY)
        pending.timer = this.#clock.setTimeout(() => this.#expire(pending), timeout)
      if (owner !== undefined) owner.openCalls++
      this.#pending.add(pending)
    })
  }

  #expire({ ref, question, reject }: Pending): void {
    if (question.late !== undefined) return question.late()
    this.#take(ref.serial)
    question.abandoned?.()
    reject(timedOut(question.what, question.timeout))
  }

  /** The question is with another thread now, and with this process of it. */
  move(serial: number, thread: number, callee?: Pid): void {
    const pending = this.#pending.find(this.#thread, serial)
    if (pending !== undefined) Object.assign(pending, { thread, callee })
  }

  /** An answer came. @returns whether anybody waited for it: not for a late or repeated one */
  settle(serial: number, outcome: 'value' | 'error' | 'exit', value: unknown): boolean {
    const pending = this.#take(serial)
    if (pending === undefined) return false
    if (outcome !== 'exit') pending.question.settled?.()
    if (outcome === 'value') pending.resolve(value)
    else if (outcome === 'error') pending.reject(value)
    else {
      const error = exited(pending.question.what, value as ExitReason)
      pending.reject(pending.question.refused?.(error) ?? error)
    }
    return true
  }

  /** The answer is here and only waits its turn: it is in time. */
  arrived(serial: number): void {
    const pending = this.#pending.find(this.#thread, serial)
    if (pending?.timer === undefined) return
    this.#clock.clearTimeout(pending.timer)
    pending.timer = undefined
  }

  /** A thread is gone; what was asked of it fails with the reason of the process that was asked. */
  failThread(thread: number, reasonOf: (pid: Pid | undefined) => ExitReason): void {
    for (const pending of this.#pending.values()) {
      if (pending.thread === thread) this.settle(pending.ref.serial, 'exit', reasonOf(pending.callee))
    }
  }

  /** The asking process is dead: its promises never settle, as no code of it may run on, or are rejected with `error`. */
  dropOwner(owner: Asker, error?: BeamlineError): void {
    if (owner.openCalls === 0) return
    for (const { ref, question, reject } of this.#pending.values()) {
      if (question.owner !== owner) continue
      this.#take(ref.serial)
      question.abandoned?.()
      if (error !== undefined) reject(error)
    }
  }

  /** No question is answered any more: each is rejected with `error`, or never settles. */
  clear(error?: BeamlineError): void {
    for (const { ref } of this.#pending.values()) {
      if (error === undefined) this.#take(ref.serial)
      else this.settle(ref.serial, 'error', error)
    }
  }

  #take(serial: number): Pending | undefined {
    const pending = this.#pending.take(this.#thread, serial)
    if (pending === undefined) return undefined
    const { owner } = pending.question
    if (owner !== undefined) owner.openCalls--
    if (pending.timer !== undefined) this.#clock.clearTimeout(pending.timer)
    return pending
  }
}

/** The refusal of what took too long. */
export function timedOut(what: string, timeout: number): BeamlineError {
  const message = `${what} was not answered within ${timeout} ms: give it a longer timeout, or look at what keeps it busy`
  return new BeamlineError('CALL_TIMEOUT', message, { details: { timeout } })
}

/** The refusal of a call whose callee is, or was found, dead. */
export function exited(what: string, reason: ExitReason): BeamlineError {
  const why = reason === 'noproc' ? 'there is no such process' : `the process exited: ${describe(reason)}`
  return new BeamlineError('NOPROC', `${what} failed, ${why}`, { cause: errorFrom(reason), details: { reason } })
}

/** Why a promise of a shell that has ended is rejected: the code that waits for it has not. */
export function shellEnded(reason: ExitReason): BeamlineError {
  const message = `the shell process of this thread exited: ${describe(reason)}`
  return new BeamlineError('NOPROC', message, { cause: errorFrom(reason), details: { reason } })
}
