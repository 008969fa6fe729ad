import { BeamlineError, shown } from '../errors.js'
import type { Metadata } from './change.js'

/** A variable that only one may write, until it is released. */
export interface Lease {
  /** Who has it. */
  readonly holder: string
  /** What the holder's writes carry, as `optimization_id` in their metadata. Counts up: an older one is worth nothing. */
  readonly token: number
  /** Milliseconds since 1970. */
  readonly since: number
}

/** How a lease is ended: by the one who has it, or by force. */
export type Release = { readonly token: number } | { readonly force: true }

interface Leased {
  readonly name: string
  readonly lease: Lease | undefined
}

/** Where in the metadata of a write the token stands. */
export const tokenKey = 'optimization_id'

const reason = 'variable_locked_for_optimization'

/** @throws BeamlineError LOCKED for a write that does not carry the token of the lease */
export function assertMayWrite(variable: Leased, said?: Metadata): void {
  const { lease } = variable
  if (lease !== undefined && String(said?.[tokenKey]) !== String(lease.token)) throw locked(variable, lease)
}

/** @throws BeamlineError LOCKED for a variable that somebody else has */
export function leaseTo(variable: Leased, holder: unknown, token: () => number): Lease {
  const { name, lease } = variable
  if (typeof holder !== 'string' || holder === '')
    throw new BeamlineError(
      'INVALID_TYPE',
      `lease of ${name}: holder is ${shown(holder)}: give a text that says who it is`,
    )
  if (lease !== undefined && lease.holder !== holder) throw locked(variable, lease)
  return { holder, token: token(), since: Date.now() }
}

/** Whether there is a lease to be ended. @throws BeamlineError LOCKED unless it is done by force or with its token */
export function mayRelease(variable: Leased, how: Partial<Record<'token' | 'force', unknown>>): boolean {
  const { lease } = variable
  if (lease === undefined) return false
  if (how.force !== true && String(how.token) !== String(lease.token)) throw locked(variable, lease)
  return true
}

function locked({ name }: Leased, { holder, since }: Lease): BeamlineError {
  const text = `${name}: ${reason}: ${shown(holder)} has it: wait until it is released, or release it by force`
  return new BeamlineError('LOCKED', text, { details: { name, holder, since, reason } })
}
