import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const runner = fileURLToPath(new URL('../../../scripts/test.mjs', import.meta.url))
const planted = fileURLToPath(new URL('./fixtures/planted.js', import.meta.url))

/** Runs the real runner over a folder whose only test file has the fault `name`. */
async function runPlanted(
  name: string | undefined,
  ...options: readonly string[]
): Promise<{ code: number | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'beamline-harness-'))
  try {
    mkdirSync(join(folder, 'tests'))
    if (name !== undefined)
      writeFileSync(join(folder, 'tests', 'planted.test.js'), `import(${JSON.stringify(planted)})\n`)
    const child = spawn(process.execPath, [runner, '--from', join(folder, 'tests'), '--timeout', '10', ...options], {
      env: { ...process.env, PLANTED: name ?? '' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, output }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const test = suite('harness', { timeout: 30_000 })

test('a good file passes, and the last line counts it', async () => {
  const { code, output } = await runPlanted('good')
  assert.is(code, 0, output)
  assert.match(output, /\n2 passed, 0 failed\n$/)
})

// Each thing that must be said has a pattern of its own: a file writes to two streams, which arrive in any order.
const caught: [fault: string, ...says: RegExp[]][] = [
  ['throwing-before', /in before/],
  ['throwing-after', /after its tests\s+Error: in after/],
  ['throwing-before-each', /in before\.each/],
  ['throwing-after-each', /in after\.each/],
  ['throwing-both', /in after\.each/, /in the body/],
  ['throws-a-string', /no error was thrown: 'a string'/],
  ['throws-a-beamline-error', /STOPPED: [\s\S]*with details/, /the second test has run/],
  ['throws-what-uvu-cannot-print', /of no name/, /the second test has run/],
  ['rejects-with-undefined', /no error was thrown: undefined/],
  ['forgotten-run', /is \.run\(\) missing/],
  ['forgotten-second-run', /the second\s+Error: the suite did not run: is \.run\(\) missing/],
  ['test-after-run', /"too late" comes after \.run\(\)/],
  ['no-tests', /the suite has no test/],
  ['no-tests-in-one-of-two', /the empty\s+Error: the suite has no test/],
  ['skipped', /1 skipped/],
  ['hangs-with-an-empty-loop', /did not end within 200 ms/],
  ['hangs-with-a-live-handle', /did not end within 200 ms/],
  ['leaks-a-worker', /left open: .*Worker/],
  ['leaks-a-port', /left open: MessagePort/],
  ['leaks-a-server', /left open: TCPServerWrap/],
  ['leaks-a-timer', /left open: Timeout/],
  ['leaks-a-program', /a program that it started outlived it/],
  ['rejects-unhandled', /unhandled rejection: Error: nobody listens/],
  ['rejects-before-its-tests', /unhandled rejection: Error: nobody listens yet/],
  ['throws-uncaught', /uncaught exception: Error: nobody catches/],
  ['throws-after-its-tests', /uncaught exception: Error: nobody catches any more/],
  ['exits-early', /is \.run\(\) missing/],
]

for (const [fault, ...says] of caught) {
  test(`a file that ${fault.replaceAll('-', ' ')} fails`, async () => {
    const { code, output } = await runPlanted(fault)
    assert.is(code, 1, output)
    for (const said of says) assert.match(output, said)
    assert.match(output, /\d+ passed, [1-9]\d* failed\n$/)
  })
}

test('a file that blocks for ever is ended', async () => {
  const { code, output } = await runPlanted('blocks-for-ever', '--timeout', '1')
  assert.is(code, 1, output)
  assert.match(output, /SIGKILL after 1 s/)
  assert.match(output, /\n0 passed, 1 failed\n$/)
})

test('a run is as often as asked for, and each counts', async () => {
  const { code, output } = await runPlanted('good', '--repeat', '2')
  assert.is(code, 0, output)
  assert.match(output, /\n4 passed, 0 failed\n$/)
})

test('a filter that fits no file fails', async () => {
  const { code, output } = await runPlanted('good', 'no-such-file')
  assert.is(code, 1, output)
  assert.match(output, /no test file was found/)
})

for (const options of [
  ['--jobs', '0'],
  ['--repeat', '0'],
  ['--timeout', 'soon'],
]) {
  test(`${options.join(' ')} is refused`, async () => {
    const { code, output } = await runPlanted('good', ...options)
    assert.is(code, 2, output)
    assert.match(output, /give a whole number above 0/)
  })
}

test('a run without any test file fails', async () => {
  const { code, output } = await runPlanted(undefined)
  assert.is(code, 1, output)
  assert.match(output, /no test file was found/)
})

test.run()
