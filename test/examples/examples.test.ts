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
  'supervised-workers': new RegExp(
    '^job 1: 1\\njob 2: 4\\njob 3: 9\\njob 4: given up after 3 crashes\\n' +
      'job 5: 25\\njob 6: 36\\njob 7: 49\\njob 8: 64\\n' +
      '3 children, the supervisor lives: true\\n$',
  ),
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
