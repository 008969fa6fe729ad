import { BeamlineError } from '../../errors.js'

/** What the maps of a message cannot have as a key. */
export const LOST_NAME = '__proto__'

/** @throws BeamlineError INVALID_TYPE for a name under which no batch could reach the variable */
export function checkName(name: string): void {
  if (name !== LOST_NAME) return
  const text = `'${LOST_NAME}' is no variable's name behind a bridge: no message can have it as a key: give another`
  throw new BeamlineError('INVALID_TYPE', text, { details: { name } })
}
