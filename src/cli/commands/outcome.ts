import { BeamlineError, type ErrorCode } from '../../errors.js'

/** What a command's end means to a shell. */
export const exitCodes = { ok: 0, failure: 1, usage: 2, notFound: 3, timeout: 4, unreachable: 5 } as const

/** A command that cannot do what was asked: its message says what to do, its number why. */
export class CommandFailure extends Error {
  readonly exitCode: number

  constructor(exitCode: number, message: string) {
    super(message)
    this.exitCode = exitCode
  }
}

const codes: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: exitCodes.notFound,
  CALL_TIMEOUT: exitCodes.timeout,
  UNAVAILABLE: exitCodes.unreachable,
}

const advice: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'give the token of the bridge with --token-file, or in BEAMLINE_TOKEN',
  PERMISSION_DENIED: 'the token does not permit this: ask for one that does',
  VERSION_CONFLICT: 'somebody has written meanwhile: read it again, and try with its version',
  EXHAUSTED: 'the bridge is at a limit: try again later',
}

/** Runs a command to its end; what goes wrong is told on stderr, in one line. */
export async function conclude(name: string, work: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await work()
  } catch (error) {
    const { exitCode, message } = failureOf(error)
    process.stderr.write(`beamline ${name}: ${message}\n`)
    process.exitCode = exitCode
  }
}

function failureOf(error: unknown): { readonly exitCode: number; readonly message: string } {
  if (error instanceof CommandFailure) return error
  if (!(error instanceof BeamlineError)) throw error
  const hint = advice[error.code]
  const message = hint === undefined ? error.message : `${error.message}\n  ${hint}`
  const { option, field } = error.details
  const isUsage = error.code === 'INVALID_TYPE' && (option !== undefined || field !== undefined)
  return { exitCode: isUsage ? exitCodes.usage : (codes[error.code] ?? exitCodes.failure), message }
}
