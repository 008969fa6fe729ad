import { BeamlineError, shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import type { Cell } from './cell.js'
import type { Host } from './host.js'
import type { ThreadControl } from './host-parts.js'
import { badDestination, type Destination, pidIn } from './process.js'
import { holderOf, isVia, type Name, shownName, type Via } from './via.js'

/** A registry is asked to enter a key for the asking process, or to take it out. */
export type Enrolment =
  | { readonly kind: 'register'; readonly entry: { readonly key: unknown; readonly value: unknown } }
  | { readonly kind: 'unregister'; readonly key: unknown }

/** How the processes of one thread get names, and find others by theirs. */
export class Naming {
  readonly #host: Host
  readonly #control: ThreadControl

  constructor(host: Host, control: ThreadControl) {
    this.#host = host
    this.#control = control
  }

  /** Gives `cell` a name. @throws BeamlineError ALREADY_REGISTERED, INVALID_TYPE; NOPROC for a registry that is dead */
  async register(cell: Cell, name: Name): Promise<void> {
    if (isVia(name)) {
      const { key, value } = name
      return this.#ask(cell, name, { kind: 'register', entry: { key, value } })
    }
    const claim = await this.#control.claimName(requireName(name), cell.pid)
    if (cell.alive) cell.ties.names.push({ name, claim })
    else this.#host.names.release(claim)
  }

  /** @throws BeamlineError NOPROC for a name that is not its own, INVALID_TYPE */
  async unregister(cell: Cell, name: Name): Promise<void> {
    if (isVia(name)) {
      if (!this.find(name)?.equals(cell.pid)) throw notOwn(cell, name)
      return this.#ask(cell, name, { kind: 'unregister', key: name.key })
    }
    const own = requireName(name)
    const held = cell.ties.names.findIndex((one) => one.name === own)
    if (held < 0) throw notOwn(cell, name)
    for (const { claim } of cell.ties.names.splice(held, 1)) this.#host.names.release(claim)
  }

  /** In the process's stead, which does not run yet; it may die meanwhile, and who starts it must hear of that. */
  async #ask(cell: Cell, { registry }: Via, request: Enrolment): Promise<void> {
    if (cell.alive) await this.#host.router.callFor(cell.pid, registry, request)
  }

  /** The process a destination means; undefined for a name that nobody has. @throws BeamlineError INVALID_TYPE */
  find(to: Destination): Pid | undefined {
    const pid = pidIn(to)
    if (pid !== undefined) return pid
    if (isVia(to)) return holderOf(to, this.#host.processes)
    if (typeof to !== 'string') throw badDestination(to)
    const raw = this.#host.names.lookup(to)
    return raw && Pid.fromRaw(this.#host.node, raw)
  }

  /** @throws BeamlineError NOPROC for a name that nobody has */
  get(to: Destination): Pid {
    const pid = this.find(to)
    if (pid !== undefined) return pid
    const advice = isVia(to) ? 'register it, or spawn under it' : `register one by spawn(…, { name: ${shownName(to)} })`
    throw new BeamlineError('NOPROC', `no process has the name ${shownName(to)}: ${advice}`)
  }
}

function notOwn(cell: Cell, name: Name): BeamlineError {
  return new BeamlineError('NOPROC', `${cell.pid} does not have the name ${shownName(name)}: give one of its own`)
}

function requireName(name: unknown): string {
  if (typeof name === 'string' && name !== '') return name
  throw new BeamlineError('INVALID_TYPE', `${shown(name)} is no name for a process: give a string that is not empty`)
}
