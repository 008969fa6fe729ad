import type { Session } from '../session.js'

/** Something for each session, ended with it. */
export class PerSession<T> {
  readonly #make: (session: Session) => T
  readonly #end: (kept: T) => void
  readonly #kept = new WeakMap<Session, T>()

  constructor(make: (session: Session) => T, end: (kept: T) => void = () => {}) {
    this.#make = make
    this.#end = end
  }

  of(session: Session): T {
    const known = this.#kept.get(session)
    if (known !== undefined) return known
    const kept = this.#make(session)
    this.#kept.set(session, kept)
    if (session.signal.aborted) this.#end(kept)
    else session.signal.addEventListener('abort', () => this.#end(kept), { once: true })
    return kept
  }

  /** What there is, if there is anything. */
  peek(session: Session): T | undefined {
    return this.#kept.get(session)
  }
}
