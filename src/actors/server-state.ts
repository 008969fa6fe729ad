import { BeamlineError, shown } from '../errors.js'

/** The public fields of a server, without the one that every server has. */
export function stateOf(server: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(server).filter(([field]) => field !== 'self'))
}

/** @throws BeamlineError INVALID_TYPE for a state with other fields than the server's own */
export function assignState(server: object, state: unknown): void {
  const { name } = server.constructor
  if (typeof state !== 'object' || state === null || Array.isArray(state)) {
    throw new BeamlineError(
      'INVALID_TYPE',
      `${shown(state)} is no state of ${name}: give an object of its public fields`,
    )
  }
  const own = stateOf(server)
  for (const field of Object.keys(state)) {
    if (Object.hasOwn(own, field)) continue
    const text = `${name} has no public field '${field}': give some of ${shown(Object.keys(own))}, or override systemReplaceState`
    throw new BeamlineError('INVALID_TYPE', text)
  }
  Object.assign(server, state)
}
