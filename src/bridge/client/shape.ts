import { Pid } from '../../threads/pid.js'
import type { BridgeMessage, BridgeRequest, FromBridge } from './messages.js'

type Fields = Readonly<Record<string, unknown>>

const isRecord = (value: unknown): value is Fields => typeof value === 'object' && value !== null

function ofContext({ session, pid }: Fields): boolean {
  return typeof session === 'string' && session !== '' && pid instanceof Pid
}

const isState = (value: unknown): boolean =>
  value === undefined || (isRecord(value) && Array.isArray(value['variables']) && typeof value['revision'] === 'number')

/** Whether a bridge can be asked this. */
export function isBridgeRequest(value: unknown): value is BridgeRequest {
  if (!isRecord(value)) return false
  switch (value['kind']) {
    case 'attach':
      return (
        ofContext(value) &&
        typeof value['create'] === 'boolean' &&
        isState(value['state']) &&
        isState(value['seen']) &&
        (value['again'] === undefined || typeof value['again'] === 'boolean')
      )
    case 'detach':
      return ofContext(value)
    case 'home':
    case 'info':
    case 'ready':
    case 'close':
      return true
    default:
      return false
  }
}

const ops: readonly unknown[] = [
  'define',
  'set',
  'set-many',
  'delete',
  'rollback',
  'lease',
  'release',
  'since',
  'history',
  'sync',
]

/** Whether a bridge can be told this. */
export function isBridgeMessage(value: unknown): value is BridgeMessage {
  if (!isRecord(value) || !ofContext(value)) return false
  const { kind, command, names, values } = value
  if (kind === 'sets' && Array.isArray(names) && Array.isArray(values) && names.length === values.length)
    return typeof value['seq'] === 'number' && names.every((name) => typeof name === 'string')
  if (kind !== 'command') return false
  return typeof value['seq'] === 'number' && isRecord(command) && ops.includes(command['op'])
}

/** Whether a message comes from a bridge. */
export function isFromBridge(message: unknown): message is FromBridge {
  return typeof message === 'object' && message !== null && (message as FromBridge).type === 'beamline:bridge'
}
