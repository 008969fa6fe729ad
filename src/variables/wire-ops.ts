/** Operations of compact messages between a handle, its context and the relays that watch it. */

/** To a context: write the variable with that number. */
export const PUT = 1
/** To a relay: the variable that its observer manager gave that number has changed. */
export const CHANGED = 2

/** Whether a compact message can carry it. */
export function isScalar(value: unknown): boolean {
  const type = typeof value
  return type === 'number' || type === 'string' || type === 'boolean' || value === null
}
