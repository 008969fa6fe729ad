import type { Pid } from '../threads/pid.js'
import type { Entry } from './relayed-watch.js'
import type { WatchedVariable } from './requests.js'

/** A variable that is watched on this thread. */
export interface Subject {
  readonly id: string
  readonly name: string
  /** Its watches. */
  readonly entries: Set<Entry>
  /** The thread of its observer manager, and what that calls it in compact messages. */
  readonly thread: number
  readonly number: number
  /** Who began the last of its watches: the others are of the same one, or begun anew by it later. */
  manager: Pid | undefined
}

/** The variables that are watched on one thread, by id and by what their managers call them. */
export class Subjects {
  readonly #byId = new Map<string, Subject>()
  /** By the thread of their manager, then by number. */
  readonly #numbered = new Map<number, (Subject | undefined)[]>()

  get(id: string): Subject | undefined {
    return this.#byId.get(id)
  }

  /** What the manager of a thread calls by a number. */
  numbered(thread: number, number: number): Subject | undefined {
    return this.#numbered.get(thread)?.[number]
  }

  /** `entry`, which `manager` has begun, watches a variable. */
  enter(entry: Entry, { id, name, subject: number }: WatchedVariable, manager: Pid): void {
    const subject = this.#named(id, name, manager.thread, number)
    // Of a context that was started again the others may not have heard yet, and what follows for this one is not theirs.
    if (!subject.manager?.equals(manager))
      for (const other of subject.entries) if (!other.manager?.equals(manager)) other.manager = undefined
    subject.manager = manager
    subject.entries.add(entry)
    entry.subjects.add(subject)
  }

  #named(id: string, name: string, thread: number, number: number): Subject {
    const known = this.#byId.get(id)
    if (known?.thread === thread && known.number === number) return known
    const subject: Subject = { id, name, thread, number, entries: known?.entries ?? new Set(), manager: known?.manager }
    if (known !== undefined) this.#drop(known)
    for (const entry of subject.entries) {
      if (known !== undefined) entry.subjects.delete(known)
      entry.subjects.add(subject)
    }
    this.#byId.set(id, subject)
    const numbered = this.#numbered.get(thread) ?? []
    this.#numbered.set(thread, numbered)
    numbered[number] = subject
    return subject
  }

  /** `entry` no longer watches a variable. */
  leave(entry: Entry, subject: Subject): void {
    entry.subjects.delete(subject)
    if (subject.entries.delete(entry) && subject.entries.size === 0) this.#drop(subject)
  }

  #drop(subject: Subject): void {
    this.#byId.delete(subject.id)
    const numbered = this.#numbered.get(subject.thread)
    if (numbered?.[subject.number] === subject) numbered[subject.number] = undefined
  }
}
