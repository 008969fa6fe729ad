import { inspect } from 'node:util'
import { BeamlineError } from '../../src/errors.js'

/** What was thrown or rejected where no promise of a test could see it. */
const strays: Error[] = []
/** Suites that were made and not run. */
const idle = new Set<{ readonly name: string }>()
let failed = false

process.on('unhandledRejection', (reason) => strays.push(asError('unhandled rejection', reason)))
process.on('uncaughtException', (error) => strays.push(asError('uncaught exception', error)))

// The exit code is set here and no earlier, as uvu sets its own at the end of its run.
process.on('exit', () => {
  for (const stray of takeStrays()) failFile('outside of every test', stray)
  for (const { name } of idle) failFile(name, new Error('the suite did not run: is .run() missing?'))
  if (failed) process.exitCode = 1
})

export function asError(what: string, thrown: unknown): Error {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : inspect(thrown)
  return new Error(`${what}: ${text}`, { cause: thrown })
}

/** What uvu can print: it takes every failure for an error with a name, and `details` for text. */
export function printable(thrown: unknown): Error {
  if (thrown instanceof BeamlineError) return asError(thrown.code, thrown)
  if (!(thrown instanceof Error)) return asError('a value that is no error was thrown', thrown)
  const { name, details } = thrown as { name: unknown; details?: unknown }
  const plain = typeof name === 'string' && (!details || typeof details === 'string')
  return plain ? thrown : asError('an error that uvu cannot print was thrown', thrown)
}

/** Fails the whole file, for what is the fault of no single test. */
export function failFile(where: string, error: unknown): void {
  failed = true
  console.error(`\n   FAIL  ${where}\n${inspect(error)}`)
}

/** The strays since the last call. */
export function takeStrays(): Error[] {
  return strays.splice(0)
}

/** The file fails unless the function it returns is called before the end. */
export function expectRun(name: string): () => void {
  const suite = { name }
  idle.add(suite)
  return () => void idle.delete(suite)
}
