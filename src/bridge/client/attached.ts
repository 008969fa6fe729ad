import type { Down } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import type { Pid, Ref } from '../../threads/pid.js'

interface Guest {
  readonly pid: Pid
  readonly ref: Ref
  readonly sessions: Set<string>
}

/** The contexts of a bridge, whose deaths it hears of. */
export class Attached {
  readonly #self: Process
  readonly #guests = new Map<string, Guest>()

  constructor(self: Process) {
    this.#self = self
  }

  add(pid: Pid, session: string): void {
    const key = pid.toString()
    let guest = this.#guests.get(key)
    if (guest === undefined) {
      guest = { pid, ref: this.#self.monitor(pid), sessions: new Set() }
      this.#guests.set(key, guest)
    }
    guest.sessions.add(session)
  }

  remove(pid: Pid, session: string): void {
    const guest = this.#guests.get(pid.toString())
    if (guest === undefined) return
    guest.sessions.delete(session)
    if (guest.sessions.size > 0) return
    this.#guests.delete(pid.toString())
    this.#self.demonitor(guest.ref)
  }

  /** @returns who is dead, if it was one of them */
  down({ ref, pid }: Down): Guest | undefined {
    const guest = this.#guests.get(pid.toString())
    if (guest === undefined || !guest.ref.equals(ref)) return undefined
    this.#guests.delete(pid.toString())
    return guest
  }
}
