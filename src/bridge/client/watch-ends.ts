import { BeamlineError } from '../../errors.js'
import { Reason, ResumeResult } from '../gen/snakepit/bridge/watch/v1/watch.js'

/** Milliseconds before a watch is tried again that the server could not serve. */
const PAUSE = 500

/** Why a watch that has ended is not to be begun again; undefined when it is. */
export function endOf(reason: Reason, session: string, detail: string): BeamlineError | undefined {
  const why = detail === '' ? '' : ` (${detail})`
  const details = { id: session }
  switch (reason) {
    case Reason.REASON_SESSION_CLOSED:
    case Reason.REASON_NOT_FOUND:
      return new BeamlineError('NOT_FOUND', `the session ${session} has been ended${why}: start it again`, { details })
    case Reason.REASON_PERMISSION:
      return new BeamlineError('PERMISSION_DENIED', `the server does not let ${session} be watched${why}`, { details })
    case Reason.REASON_INVALID:
      return new BeamlineError('INVALID_TYPE', `the server does not take the session id ${session}${why}`, { details })
    default:
      return undefined
  }
}

/** Why a state cannot become the session. */
export function alreadyThere(session: string): BeamlineError {
  const text = `the session ${session} is there already: attach to it without a state`
  return new BeamlineError('ALREADY_EXISTS', text, { details: { id: session } })
}

/** Why a session cannot be had here. */
export function beyondReading(session: string, cause: unknown): BeamlineError {
  const why = cause instanceof Error ? cause.message : String(cause)
  const text = `what the server sent of the session ${session} cannot be read: ${why}: use the same version at both ends`
  return new BeamlineError('INVALID_TYPE', text, { cause, details: { id: session } })
}

/** Milliseconds after which a watch that has ended is begun again. */
export function retryOf(reason: Reason, asked: number): number {
  switch (reason) {
    case Reason.REASON_SLOW_CONSUMER:
    case Reason.REASON_COMPACTED:
    case Reason.REASON_NEW_INCARNATION:
    case Reason.REASON_CLIENT:
      return asked
    default:
      return asked > 0 ? asked : PAUSE
  }
}

/** Why some changes cannot be told one by one. */
export function reasonOf(resume: ResumeResult): string {
  switch (resume) {
    case ResumeResult.RESUME_RESULT_COMPACTED:
      return 'the log of the server no longer tells of them'
    case ResumeResult.RESUME_RESULT_NEW_INCARNATION:
      return 'the session began anew on the server'
    case ResumeResult.RESUME_RESULT_FUTURE:
      return 'the server was set back to an earlier state of the session'
    default:
      return 'what the server sent did not follow what was known'
  }
}
