import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { BeamlineError, type ErrorCode } from '../../errors.js'
import { isErrorCode } from './native-codec.js'

/** What a call is answered that is refused. */
export type Refusal = Pick<ServiceError, 'code' | 'details' | 'metadata'>

/** The trailer in which clients of ours find the code of the error. */
export const CODE_TRAILER = 'beamline-code'

const statuses: Readonly<Record<ErrorCode, status>> = {
  NOT_FOUND: status.NOT_FOUND,
  ALREADY_EXISTS: status.ALREADY_EXISTS,
  ALREADY_REGISTERED: status.ALREADY_EXISTS,
  INVALID_TYPE: status.INVALID_ARGUMENT,
  CONSTRAINT: status.INVALID_ARGUMENT,
  NOT_CLONEABLE: status.INVALID_ARGUMENT,
  BAD_ENTRY: status.INVALID_ARGUMENT,
  VERSION_CONFLICT: status.ABORTED,
  LOCKED: status.FAILED_PRECONDITION,
  NOPROC: status.UNAVAILABLE,
  STOPPED: status.UNAVAILABLE,
  UNAVAILABLE: status.UNAVAILABLE,
  CALL_TIMEOUT: status.DEADLINE_EXCEEDED,
  MAILBOX_FULL: status.RESOURCE_EXHAUSTED,
  OVERFLOW: status.RESOURCE_EXHAUSTED,
  EXHAUSTED: status.RESOURCE_EXHAUSTED,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  COMPACTED: status.OUT_OF_RANGE,
  CORRUPT: status.INTERNAL,
}

/**
 * An error as a client is told of it: a refused value by the reason alone, as clients know the variable. What is no
 * {@link BeamlineError} is our own fault, and none of its business.
 */
export function refusalOf(error: unknown): Refusal {
  const metadata = new Metadata()
  const code = error instanceof BeamlineError ? statuses[error.code] : undefined
  if (!(error instanceof BeamlineError) || code === undefined || code === status.INTERNAL)
    return { code: status.INTERNAL, details: 'internal error', metadata }
  metadata.set(CODE_TRAILER, error.code)
  const { retryAfterMs } = error.details
  if (typeof retryAfterMs === 'number') metadata.set('grpc-retry-pushback-ms', String(Math.ceil(retryAfterMs)))
  return { code, details: reasonOf(error), metadata }
}

/** The words for a client that knows which variable it spoke of. */
export function reasonOf({ code, message, details }: BeamlineError): string {
  const { reason } = details
  const isRefused = code === 'INVALID_TYPE' || code === 'CONSTRAINT' || code === 'LOCKED'
  return isRefused && typeof reason === 'string' ? reason : message
}

const codes: Readonly<Partial<Record<status, ErrorCode>>> = {
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'ALREADY_EXISTS',
  [status.INVALID_ARGUMENT]: 'INVALID_TYPE',
  [status.ABORTED]: 'VERSION_CONFLICT',
  [status.FAILED_PRECONDITION]: 'LOCKED',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
  [status.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [status.RESOURCE_EXHAUSTED]: 'EXHAUSTED',
  [status.OUT_OF_RANGE]: 'COMPACTED',
  [status.DEADLINE_EXCEEDED]: 'CALL_TIMEOUT',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.CANCELLED]: 'STOPPED',
}

/** What a call has failed with, as an error of ours: by its own code where the server is one of ours. */
export function errorOf({
  code,
  details,
  metadata,
}: Pick<ServiceError, 'code' | 'details'> & Partial<ServiceError>): BeamlineError {
  const own = metadata?.get(CODE_TRAILER)[0]
  const known = isErrorCode(own) ? own : (codes[code] ?? 'UNAVAILABLE')
  const name = status[code]
  return new BeamlineError(known, details, { details: { status: name ?? code } })
}
