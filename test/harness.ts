import { subscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { suite as uvuSuite } from 'uvu'
import * as uvuAssert from 'uvu/assert'
import { BeamlineError } from '../src/errors.js'

export { eventually } from '../src/testing/eventually.js'

type Body = () => unknown

/** Adds a test; the hooks run around every test, inside it, so that what they throw fails it. */
interface Suite {
  (name: string, body: Body): void
  before: ((hook: Body) => void) & { each: (hook: Body) => void }
  after: ((hook: Body) => void) & { each: (hook: Body) => void }
  run(): void
}

interface SuiteOptions {
  /** Milliseconds for one test with its hooks. */
  readonly timeout?: number
  /** Whether workers, ports, sockets and timers must be gone after the suite. */
  readonly leakCheck?: boolean
}

const workers = new Set<Worker>()
subscribe('worker_threads', (message) => {
  const { worker } = message as { worker: Worker }
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
})

// Opened now, so that the pipes of this process's own output never count as left open by a test.
void [process.stdout, process.stderr]

/** What went wrong outside any promise of the running test. */
const strays: Error[] = []
process.on('unhandledRejection', (reason) => strays.push(toError('unhandled rejection', reason)))
process.on('uncaughtException', (error) => strays.push(toError('uncaught exception', error)))

function toError(what: string, thrown: unknown): Error {
  const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : inspect(thrown)
  return new Error(`${what}: ${text}`, { cause: thrown })
}

/** What uvu can print: it takes every failure for an error, and `details` for text. */
function printable(thrown: unknown): Error {
  if (thrown instanceof BeamlineError) return toError(thrown.code, thrown)
  return thrown instanceof Error ? thrown : toError('a value that is no error was thrown', thrown)
}

const kinds = ['MessagePort', 'TCPServerWrap', 'TCPSocketWrap', 'PipeWrap', 'ProcessWrap', 'Timeout', 'Immediate']

/** Everything that would keep the program alive; the timers of uvu and of this file are not running when it is asked. */
function handles(): string[] {
  const active = process.getActiveResourcesInfo().filter((kind) => kinds.includes(kind))
  return [...active, ...Array.from(workers, () => 'Worker')]
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** uvu's suite without its false greens: hooks, non-errors, hangs, strays and leaks all fail a test. */
export function suite(name: string, { timeout = 10_000, leakCheck = true }: SuiteOptions = {}): Suite {
  const test = uvuSuite(name)
  const hooks = { before: [] as Body[], after: [] as Body[], beforeEach: [] as Body[], afterEach: [] as Body[] }
  let ready: Promise<void> | undefined
  let base: string[] = []

  const all = async (bodies: Body[]) => {
    for (const body of bodies) await body()
  }
  const guarded = (body: Body) => async () => {
    const failures: unknown[] = []
    const attempt = async (work: Body) => {
      try {
        await within(timeout, work)
      } catch (thrown) {
        failures.push(printable(thrown))
      }
    }
    strays.length = 0
    await attempt(body)
    await turn()
    failures.push(...strays.splice(0))
    if (failures.length > 0) throw failures[0]
  }

  const add = (title: string, body: Body) => {
    test(
      title,
      guarded(async () => {
        ready ??= all(hooks.before)
        await ready
        try {
          await all(hooks.beforeEach)
          await body()
        } finally {
          await all(hooks.afterEach)
        }
      }),
    )
  }
  const run = () => {
    test(
      '(leaves nothing behind)',
      guarded(async () => {
        await all(hooks.after)
        if (leakCheck) await assertNoLeak(base)
      }),
    )
    base = handles()
    test.run()
  }
  return Object.assign(add, {
    before: Object.assign((hook: Body) => void hooks.before.push(hook), {
      each: (hook: Body) => void hooks.beforeEach.push(hook),
    }),
    after: Object.assign((hook: Body) => void hooks.after.push(hook), {
      each: (hook: Body) => void hooks.afterEach.push(hook),
    }),
    run,
  })
}

async function within(ms: number, work: Body): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the test did not end within ${ms} ms`)), ms)
  })
  try {
    await Promise.race([Promise.resolve().then(work), late])
  } finally {
    clearTimeout(timer)
  }
}

async function assertNoLeak(base: readonly string[]): Promise<void> {
  const excess = () => {
    const left = handles()
    for (const kind of base) if (left.includes(kind)) left.splice(left.indexOf(kind), 1)
    return left.filter((kind) => kind !== 'Timeout' && kind !== 'Immediate')
  }
  for (const start = Date.now(); excess().length > 0 && Date.now() - start < 1000; ) await turn()
  const left = excess()
  for (const worker of workers) await worker.terminate()
  if (left.length > 0) throw new Error(`handles were left open: ${left.join(', ')}`)
}

async function rejects(
  work: Promise<unknown> | (() => unknown),
  code?: string,
  message?: RegExp,
): Promise<BeamlineError> {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return expected(error, code, message)
  }
  throw new Error(`expected a rejection${code ? ` with ${code}` : ''}, but it resolved`)
}

function throwsCode(work: () => unknown, code: string, message?: RegExp): BeamlineError {
  try {
    work()
  } catch (error) {
    return expected(error, code, message)
  }
  throw new Error(`expected ${code}, but nothing was thrown`)
}

function expected(error: unknown, code: string | undefined, message: RegExp | undefined): BeamlineError {
  if (!(error instanceof BeamlineError)) throw toError('expected a BeamlineError', error)
  if (code !== undefined) uvuAssert.is(error.code, code, `expected ${code}, not ${error.code}: ${error.message}`)
  if (message !== undefined) uvuAssert.match(error.message, message)
  return error
}

/** uvu's assertions, and those for errors with a code. */
export const assert: typeof uvuAssert & { rejects: typeof rejects; throwsCode: typeof throwsCode } = {
  ...uvuAssert,
  rejects,
  throwsCode,
}
