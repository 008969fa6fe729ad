import { appendFileSync } from 'node:fs'
import { suite as uvuSuite } from 'uvu'
import { expectRun, failFile, printable, takeStrays } from './harness/faults.js'
import { type Handles, leftOpen, openHandles, terminateWorkers, turn } from './harness/handles.js'

export { eventually } from '../src/testing/eventually.js'
export { assert } from './harness/assert.js'

type Body = () => unknown

/** Adds a test; the hooks run around every test, inside it, so that what they throw fails it. */
interface Suite {
  (name: string, body: Body): void
  before: ((hook: Body) => void) & { each: (hook: Body) => void }
  after: ((hook: Body) => void) & { each: (hook: Body) => void }
  run(): void
}

interface SuiteOptions {
  /** Milliseconds for one test with the hooks before it; the hooks after it have as long again. */
  readonly timeout?: number
  /** Whether workers, ports, sockets, timers and all else that keeps a program alive must be gone after the suite. */
  readonly leakCheck?: boolean
}

/** Suites that have not come to their end. */
let open = 0
let leaked = false

/**
 * uvu's suite without its false greens: hooks, non-errors, hangs, strays, leaks, an empty suite and one that was never
 * run all fail. What is the fault of no test in particular fails the file: it is told on stderr, and the exit code is 1.
 */
export function suite(name: string, { timeout = 10_000, leakCheck = true }: SuiteOptions = {}): Suite {
  const test = uvuSuite(name)
  const hooks = { before: [] as Body[], after: [] as Body[], beforeEach: [] as Body[], afterEach: [] as Body[] }
  let base: Handles | undefined
  let ready: Promise<unknown[]> | undefined
  let count = 0
  let ran = false
  const runs = expectRun(name)

  /** What the bodies throw, each but the first run only if those before it threw nothing. */
  const faultsOf = async (bodies: readonly Body[]): Promise<unknown[]> => {
    try {
      await within(timeout, async () => {
        for (const body of bodies) await body()
      })
      return []
    } catch (thrown) {
      return [printable(thrown)]
    }
  }
  const straysSoFar = async (): Promise<Error[]> => {
    await turn()
    return takeStrays()
  }
  const failFileWith = (faults: readonly unknown[], where: string): void => {
    for (const fault of faults) failFile(where, fault)
  }

  const runTest = async (title: string, body: Body): Promise<void> => {
    failFileWith(await straysSoFar(), `${name}: before "${title}"`)
    base ??= openHandles()
    ready ??= faultsOf(hooks.before)
    const faults = [...(await ready)]
    if (faults.length === 0) {
      faults.push(...(await faultsOf([...hooks.beforeEach, body])))
      faults.push(...(await faultsOf(hooks.afterEach)))
    }
    faults.push(...(await straysSoFar()))
    record(name, title, faults.length === 0)
    for (const fault of faults.slice(1)) console.error(`\n   and in "${title}":`, fault)
    if (faults.length > 0) throw faults[0]
  }

  const close = async (): Promise<void> => {
    const where = `${name}: after its tests`
    failFileWith([...(await faultsOf(hooks.after)), ...(await straysSoFar())], where)
    if (leakCheck && base !== undefined) {
      const left = await leftOpen(base)
      if (left.length > 0) {
        leaked = true
        failFile(where, new Error(`handles were left open: ${left.join(', ')}`))
        await terminateWorkers(base)
      }
    }
    open -= 1
    // Only workers can be ended one by one; a leak of another kind must not keep the file from its end, either. uvu has
    // printed its summary by the next turn.
    if (leaked && open === 0) setImmediate(() => process.exit())
  }

  const add = (title: string, body: Body): void => {
    if (ran) throw new Error(`"${title}" comes after .run() of "${name}" and would not run`)
    count += 1
    test(title, () => runTest(title, body))
  }
  const run = (): void => {
    runs()
    ran = true
    open += 1
    if (count === 0) failFile(name, new Error('the suite has no test'))
    test.after(close)
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

/** For programs that want more than the counts: a line of JSON for each test that was run, in the file that TEST_LOG names. */
function record(name: string, title: string, passed: boolean): void {
  const file = process.env['TEST_LOG']
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ suite: name, title, passed })}\n`)
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
