import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'

/**
 * What one thread has sent to one context. As it is worked off in order, the answer to one request says that all before it
 * are done too: then what the thread has written stands in shared memory.
 */
export class Writes {
  sent = 0
  #done = 0

  /** The request with this number, as `sent` was when it left, has been answered. */
  done(mark: number): void {
    if (mark > this.#done) this.#done = mark
  }

  /** How a write is refused whose context has died before it answered. */
  readonly refused = undecided

  /** Whether all that was sent is done. */
  get areDone(): boolean {
    return this.#done === this.sent
  }
}

/** Nobody knows whether a context that died had committed what was in flight. */
export function undecided({ message, cause, details }: BeamlineError): BeamlineError {
  const text = details['reason'] === 'noproc' ? '' : '; it may or may not have been committed'
  return new BeamlineError('NOPROC', message + text, { cause, details })
}

const service = Symbol('beamline.writes')

/** What the thread of `process` has sent to a context. */
export function writesTo(process: Process, context: Pid): Writes {
  const all = Process.hostOf(process).service(service, () => new Map<string, Writes>())
  const key = context.toString()
  const known = all.get(key)
  if (known !== undefined) return known
  const writes = new Writes()
  all.set(key, writes)
  return writes
}
