import { type ServiceError, status } from '@grpc/grpc-js'
import { BeamlineError, type ErrorCode } from '../../errors.js'

/** Why a connection has ended. */
export interface Ending {
  readonly error: BeamlineError
  /** It would end in the same way again. */
  readonly permanent: boolean
  /** Something has been lost on the way. */
  readonly gap?: boolean
}

/** What a call's status means to whoever wants the server at `address`. */
export function endingOf(failure: Pick<ServiceError, 'code' | 'details'>, address: string): Ending {
  const { code, details } = failure
  switch (code) {
    case status.UNAUTHENTICATED:
      return refused(
        'UNAUTHENTICATED',
        `the server at ${address} does not know this client`,
        'give a valid token',
        details,
      )
    case status.PERMISSION_DENIED:
      return refused('PERMISSION_DENIED', `the server at ${address} refuses this client`, 'ask for permission', details)
    case status.UNIMPLEMENTED:
      return refused(
        'UNAVAILABLE',
        `the server at ${address} has no such service`,
        'give the address of a bridge',
        details,
      )
    case status.RESOURCE_EXHAUSTED:
      return lost('EXHAUSTED', `the server at ${address} has reached a limit`, details)
    case status.OK:
    case status.CANCELLED:
      return lost('UNAVAILABLE', `the connection to ${address} has ended`, details)
    default:
      return lost('UNAVAILABLE', `no bridge answers at ${address}: start one there, or give another address`, details)
  }
}

function refused(code: ErrorCode, what: string, advice: string, details: string): Ending {
  const error = new BeamlineError(code, `${what}: ${advice}${inBrackets(details)}`, { details: { status: details } })
  return { error, permanent: true }
}

export function lost(code: ErrorCode, text: string, details = ''): Ending {
  return { error: new BeamlineError(code, `${text}${inBrackets(details)}`), permanent: false }
}

const inBrackets = (details: string): string => (details === '' ? '' : ` (${details})`)
