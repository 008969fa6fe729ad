import type { ForwardedRequest } from '../../variables/upstream.js'
import type { SessionCommand } from './messages.js'

/** What a context is asked, as its session is asked it. */
export function commandOf(request: ForwardedRequest): SessionCommand {
  switch (request.kind) {
    case 'define': {
      const { name, type, initial, constraints = {}, description, metadata } = request.definition
      return {
        op: 'define',
        name,
        type: type as string,
        initial,
        constraints: { ...constraints },
        description,
        metadata,
      }
    }
    case 'set':
      return { op: 'set', write: request.write }
    case 'set-many':
      return { op: 'set-many', writes: request.writes, atomic: request.atomic }
    case 'delete':
      return { op: 'delete', name: request.name }
    case 'rollback':
      return { op: 'rollback', name: request.name, version: request.version }
    case 'lease':
      return { op: 'lease', name: request.name, holder: request.holder }
    case 'release':
      return { op: 'release', name: request.name, how: request.how }
    case 'history':
      return { op: 'history', name: request.name, limit: request.limit }
  }
}
