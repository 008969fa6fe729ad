import { BeamlineError, shown } from '../errors.js'
import type { Pid, Ref } from '../threads/pid.js'
import { type Behaviour, behaviour } from './behaviour.js'
import type { Cell } from './cell.js'
import { Exit, type ExitReason, sendable } from './exit-reason.js'
import type { Host } from './host.js'
import { isDown } from './messages.js'
import type { Destination } from './process.js'

/** What happened to a traced process. The message is a copy; a call shows as `{ type: 'CALL', from, request }`. */
export type TraceEvent =
  /** A message came into the mailbox. */
  | { readonly type: 'received'; readonly message: unknown }
  /** The process took a message from its mailbox. */
  | { readonly type: 'taken'; readonly message: unknown }
  /** The process is dead; nothing follows. */
  | { readonly type: 'exited'; readonly reason: ExitReason }

export type TraceListener = (event: TraceEvent) => void

export interface TraceOptions {
  /** The most messages that are told of, 1000 unless told; the trace ends with the last. */
  readonly limit?: number
}

/** A trace that runs. */
export interface Trace {
  /** Ends it; harmless when it has ended by itself. */
  stop(): void
}

interface Running {
  readonly tracer: Pid
  readonly ref: Ref
  left: number
}

/** Those who trace one process, on its thread. Each monitors it, and is one no more when that monitor is gone. */
export class Traces {
  readonly #host: Host
  readonly #cell: Cell
  #running: Running[] = []

  constructor(host: Host, cell: Cell) {
    this.#host = host
    this.#cell = cell
  }

  add(tracer: Pid, ref: Ref, limit: number): void {
    this.#running.push({ tracer, ref, left: limit })
  }

  tell(type: 'received' | 'taken', message: unknown): void {
    const event = { type, message: sendable(message) } satisfies TraceEvent
    this.#running = this.#running.filter(({ ref, left }) => left > 0 && this.#cell.ties.watchers.has(ref))
    for (const running of this.#running) {
      running.left--
      this.#host.router.message(undefined, running.tracer, event, false)
    }
    if (this.#running.length === 0) this.#cell.traceBy(undefined)
  }
}

/** The process that a trace is, on the thread of who asked for it. */
class Tracer implements Behaviour {
  readonly #hear: TraceListener
  readonly #ref: Ref
  #left: number

  constructor(hear: TraceListener, ref: Ref, limit: number) {
    this.#hear = hear
    this.#ref = ref
    this.#left = limit
  }

  handle(message: unknown): void {
    if (!isDown(message)) this.#tell(message as TraceEvent)
    else if (this.#ref.equals(message.ref)) this.#tell({ type: 'exited', reason: message.reason })
    if (--this.#left <= 0 || isDown(message)) throw new Exit('normal')
  }

  /** A listener that throws has heard its last. */
  #tell(event: TraceEvent): void {
    try {
      this.#hear(event)
    } catch (error) {
      process.emitWarning(`a trace's listener failed: ${shown(error)}`, { code: 'BEAMLINE_LISTENER' })
      throw new Exit('normal')
    }
  }
}

/** @throws BeamlineError INVALID_TYPE, NOPROC, CALL_TIMEOUT, STOPPED */
export async function trace(
  host: Host,
  to: Destination,
  listener: TraceListener,
  { limit = 1000 }: TraceOptions,
): Promise<Trace> {
  if (typeof listener !== 'function') {
    throw new BeamlineError('INVALID_TYPE', `trace: ${shown(listener)} is no listener: give a function`)
  }
  if (!(Number.isInteger(limit) && limit > 0)) {
    throw new BeamlineError('INVALID_TYPE', `trace: limit is ${shown(limit)}: give a whole number above 0`)
  }
  const pid = host.resolve(to)
  const ref = host.ref()
  const tracer = host.hire(
    behaviour(() => new Tracer(listener, ref, limit)),
    undefined,
    `trace of ${pid}`,
  )
  const cell = host.cell(tracer)
  cell?.ties.monitors.add({ pid, ref })
  try {
    await host.router.system(pid, { op: 'trace', tracer, ref, limit }, 5000)
  } catch (error) {
    cell?.exit('normal')
    throw error
  }
  return { stop: () => cell?.exit('normal') }
}
