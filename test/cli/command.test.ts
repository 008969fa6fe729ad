import { readFileSync } from 'node:fs'
import { assert, suite } from '../harness.js'
import { cli, runProgram } from './run-program.js'

const test = suite('the command line', { timeout: 30_000 })

for (const args of [['--help'], ['demo', '--help'], ['help', 'demo']]) {
  test(`${args.join(' ')} explains and succeeds`, async () => {
    const { code, stdout, stderr } = await runProgram(cli, args)
    assert.equal([code, stderr], [0, ''])
    assert.match(stdout, /^Usage: beamline/)
    if (args.includes('demo')) assert.match(stdout, /--seconds <number>.*--json/s)
  })
}

test('--version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const { code, stdout } = await runProgram(cli, ['--version'])
  assert.equal([code, stdout], [0, `${version}\n`])
})

const refused: [args: string[], says: RegExp][] = [
  [[], /^Usage: beamline/],
  [['dance'], /unknown command 'dance'/],
  [['demo', '--fast'], /unknown option '--fast'/],
  [['demo', 'now'], /too many arguments/],
  [['demo', '--seconds'], /argument missing/],
  ...['abc', '', '0', '-1', 'NaN', 'Infinity', '1e9'].map((seconds): [string[], RegExp] => [
    ['demo', `--seconds=${seconds}`],
    /Give a number above 0, at most 604800/,
  ]),
]
for (const [args, says] of refused) {
  test(`beamline ${args.join(' ')} is refused with exit code 2`, async () => {
    const { code, stdout, stderr } = await runProgram(cli, args)
    assert.equal([code, stdout], [2, ''])
    assert.match(stderr, says)
  })
}

test.run()
