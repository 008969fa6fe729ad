import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const runner = fileURLToPath(new URL('../../../scripts/test.mjs', import.meta.url))
const planted = fileURLToPath(new URL('./fixtures/planted.js', import.meta.url))

/** Runs the real runner over a folder whose only test file has the fault `name`. */
async function runPlanted(name: string | undefined): Promise<{ code: number | null; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'beamline-harness-'))
  try {
    mkdirSync(join(folder, 'tests'))
    if (name !== undefined)
      writeFileSync(join(folder, 'tests', 'planted.test.js'), `import(${JSON.stringify(planted)})\n`)
    const child = spawn(process.execPath, [runner, '--from', join(folder, 'tests'), '--timeout', '3'], {
      env: { ...process.env, PLANTED: name ?? '' },
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
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

const caught: [fault: string, says: RegExp][] = [
  ['throwing-before', /in before/],
  ['throwing-after', /in after/],
  ['throwing-before-each', /in before\.each/],
  ['throwing-after-each', /in after\.each/],
  ['throws-a-string', /no error was thrown: 'a string'/],
  ['throws-a-beamline-error', /STOPPED: [\s\S]*with details[\s\S]*the second test has run/],
  ['rejects-with-undefined', /no error was thrown: undefined/],
  ['forgotten-run', /is \.run\(\) missing/],
  ['no-tests', /is \.run\(\) missing/],
  ['skipped', /1 skipped/],
  ['hangs-with-an-empty-loop', /did not end within 200 ms/],
  ['hangs-with-a-live-handle', /did not end within 200 ms/],
  ['blocks-for-ever', /SIGKILL/],
  ['leaks-a-worker', /left open: .*Worker/],
  ['leaks-a-port', /left open: MessagePort/],
  ['rejects-unhandled', /nobody listens/],
  ['throws-uncaught', /nobody catches/],
  ['exits-early', /is \.run\(\) missing/],
]

for (const [fault, says] of caught) {
  test(`a file that ${fault.replaceAll('-', ' ')} fails`, async () => {
    const { code, output } = await runPlanted(fault)
    assert.is(code, 1, output)
    assert.match(output, says)
    assert.match(output, /\d+ passed, [1-9]\d* failed\n$/)
  })
}

test('a run without any test file fails', async () => {
  const { code, output } = await runPlanted(undefined)
  assert.is(code, 1, output)
  assert.match(output, /no test file was found/)
})

test.run()
