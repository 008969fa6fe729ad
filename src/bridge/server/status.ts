import { Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { BeamlineError, type ErrorCode } from '../../errors.js'

/** What a call is answered that is refused. */
export type Refusal = Pick<ServiceError, 'code' | 'details' | 'metadata'>

/** The trailer in which clients of ours find the code of the error. */
export const CODE_TRAILER = 'beamline-code'

const codes: Readonly<Record<ErrorCode, status>> = {
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
  CORRUPT: status.DATA_LOSS,
}

/** An error as a client is told of it. What is no {@link BeamlineError} is our own fault, and none of its business. */
export function refusalOf(error: unknown): Refusal {
  const metadata = new Metadata()
  if (!(error instanceof BeamlineError)) return { code: status.INTERNAL, details: 'internal error', metadata }
  metadata.set(CODE_TRAILER, error.code)
  const { retryAfterMs } = error.details
  if (typeof retryAfterMs === 'number') metadata.set('grpc-retry-pushback-ms', String(Math.ceil(retryAfterMs)))
  return { code: codes[error.code] ?? status.INTERNAL, details: error.message, metadata }
}
