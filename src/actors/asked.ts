import type { Pid, Ref } from '../threads/pid.js'
import type { Question } from './calls.js'
import { type Destination, pidIn } from './process.js'
import type { Router } from './router.js'
import type { Ties } from './ties.js'
import { isVia, shownName } from './via.js'

/** Who takes it: the process's code, or what runs it. */
export type Kind = 'call' | 'system'

/** A question that the router puts. */
export class Asked implements Question {
  readonly kind: Kind
  readonly ref: Ref
  readonly asker: Pid
  readonly owner: Ties | undefined
  readonly callee: Pid
  readonly timeout: number
  readonly #router: Router
  readonly #verb: string
  readonly #to: Destination

  /**
   * @param owner whose death ends the wait
   * @param verb what is asked, for error messages, as is who was meant by `to`
   */
  constructor(
    router: Router,
    kind: Kind,
    ref: Ref,
    asker: Pid,
    owner: Ties | undefined,
    callee: Pid,
    timeout: number,
    verb: string,
    to: Destination = callee,
  ) {
    this.#router = router
    this.kind = kind
    this.ref = ref
    this.asker = asker
    this.owner = owner
    this.callee = callee
    this.timeout = timeout
    this.#verb = verb
    this.#to = to
  }

  get thread(): number {
    return this.callee.thread
  }

  /** Made when it is needed, as nearly every question is answered. */
  get what(): string {
    return `${this.#verb} ${nameOf(this.#to)}`
  }

  abandoned(): void {
    this.#router.forget(this.callee, this.ref)
  }
}

/** Who is meant, for error messages. */
export function nameOf(to: Destination): string {
  return typeof to === 'string' || isVia(to) ? shownName(to) : String(pidIn(to))
}
