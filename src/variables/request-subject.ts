import { BeamlineError } from '../errors.js'
import type { ContextMessage, ContextRequest } from './requests.js'

/** What cannot travel is a part of some message to whoever packs it; its writer knows it by the variable. */
export function naming(message: ContextRequest | ContextMessage, error: unknown): unknown {
  if (!(error instanceof BeamlineError) || error.code !== 'NOT_CLONEABLE') return error
  const name = subjectOf(message, String(error.details['path']))
  if (typeof name !== 'string') return error
  const { cause, details } = error
  return new BeamlineError('NOT_CLONEABLE', `${name}: ${error.message}`, { cause, details: { ...details, name } })
}

/** The name of the variable that the part at `path` is about, if any. */
function subjectOf(message: ContextRequest | ContextMessage, path: string): unknown {
  switch (message.kind) {
    case 'define':
      return message.definition.name
    case 'set':
    case 'put':
      return message.write.name
    case 'set-many':
      return message.writes[Number(/^writes\[(\d+)\]/.exec(path)?.[1])]?.name
    default:
      return undefined
  }
}
