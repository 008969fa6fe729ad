import { BeamlineError } from '../../../errors.js'
import type { VariableInfo } from '../../../variables/change.js'
import type { Context } from '../../../variables/context.js'

/** An id holds the name that its variable has had from the beginning. */
const idOfName = /^var_(.+)_[0-9a-f]{16}$/s

/**
 * The variable with this id, else with this name.
 * @throws BeamlineError NOT_FOUND, in the words that clients look for
 */
export async function find(context: Context, identifier: string): Promise<VariableInfo> {
  const info = await findIfThere(context, identifier)
  if (info !== undefined) return info
  throw new BeamlineError('NOT_FOUND', `Variable not found: ${identifier}`, { details: { name: identifier } })
}

/** As {@link find}, but `undefined` when there is none. */
export async function findIfThere(context: Context, identifier: string): Promise<VariableInfo | undefined> {
  const name = idOfName.exec(identifier)?.[1]
  const identified = name === undefined ? undefined : await described(context, name)
  return identified?.id === identifier ? identified : described(context, identifier)
}

async function described(context: Context, name: string): Promise<VariableInfo | undefined> {
  try {
    return await context.describe(name)
  } catch (error) {
    if (error instanceof BeamlineError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
