import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runProgram } from '../cli/run-program.js'
import { assert, suite } from '../harness.js'

const folder = new URL('../../examples/', import.meta.url)

const outputs: Readonly<Record<string, RegExp>> = {
  'quick-start': new RegExp(
    '^the observer watches\n' +
      'temperature: 0\\.7 → 0\\.9, seen on another thread\n' +
      'CONSTRAINT: .*above maximum 2\n' +
      'it is still 0\\.9\n$',
  ),
  'kill-a-loop': /^it spins\nDOWN: killed, \d+\.\d ms after the kill\nalive: false\n$/,
  'live-parameters': new RegExp(
    '^step 20: x = 0\\.1\\d+, now faster\n' +
      'step \\d+: x = 2\\.\\d+, now by another method\n' +
      'step \\d+: x = 3\\.0000, found\n' +
      'rate 0\\.05, Methods\\.Newton\n$',
  ),
}

const test = suite('examples', { timeout: 30_000 })

for (const [name, output] of Object.entries(outputs)) {
  test(`${name} runs, prints its result and ends`, async () => {
    const { code, stdout, stderr } = await runProgram(fileURLToPath(new URL(`${name}.js`, folder)))
    assert.equal([code, stderr], [0, ''], stdout)
    assert.match(stdout, output)
  })
}

test('every example is run', () => {
  const sources = readdirSync(new URL('../../../examples/', import.meta.url))
  assert.equal(
    sources.sort(),
    Object.keys(outputs)
      .map((name) => `${name}.ts`)
      .sort(),
  )
})

test.run()
