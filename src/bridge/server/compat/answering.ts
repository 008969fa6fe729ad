import type { handleUnaryCall, Metadata, ServerUnaryCall } from '@grpc/grpc-js'
import { BeamlineError } from '../../../errors.js'
import { refusalOf } from '../../wire/status.js'
import type { Permission } from '../guard.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'

/** A call as those who answer it see it. */
export interface Caller {
  readonly metadata: Metadata
}

type Work<Request, Response> = (
  request: Request,
  call: ServerUnaryCall<Request, Response>,
) => Response | Promise<Response>

/** A call that is answered by what `work` returns, or refused by what it throws. */
export function answering<Request, Response>(work: Work<Request, Response>): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    // Not called back from within a promise: what is wrong with an answer is gRPC's to say, not a rejection's.
    Promise.resolve()
      .then(() => work(call.request, call))
      .then(
        (response) => process.nextTick(() => callback(null, response)),
        (error: unknown) => process.nextTick(() => callback(refusalOf(error))),
      )
  }
}

/** @throws BeamlineError PERMISSION_DENIED, and NOT_FOUND for a session that is not there */
export function sessionFor(
  { guard, sessions }: Pick<ServiceDeps, 'guard' | 'sessions'>,
  { metadata }: Caller,
  id: string,
  permission: Permission,
): Promise<Session> {
  guard.admit(metadata).require(id, permission)
  return sessions.get(id)
}

/** Works in a session that may end meanwhile: then it is not there any more, whatever has failed. */
export async function within<T>(session: Session, work: (session: Session) => Promise<T>): Promise<T> {
  try {
    return await work(session)
  } catch (error) {
    if (!session.signal.aborted || !isDeath(error)) throw error
    throw session.signal.reason instanceof BeamlineError ? session.signal.reason : error
  }
}

const isDeath = (error: unknown): boolean =>
  error instanceof BeamlineError && (error.code === 'NOPROC' || error.code === 'STOPPED')
