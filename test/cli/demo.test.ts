import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process'
import { assert, suite } from '../harness.js'
import { cli, runProgram } from './run-program.js'

const test = suite('the demo', { timeout: 60_000 })

test('--json prints one object a line and the summary last; nothing is lost', async () => {
  const { code, stdout, stderr } = await runProgram(cli, ['demo', '--seconds', '3', '--json'])
  assert.is(code, 0, stdout + stderr)
  assert.is(stderr, '')
  const objects = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  const summary = objects.at(-1)
  assert.is(summary.type, 'summary')
  assert.equal([summary.lost, summary.repeated, summary.crashed], [0, 0, 0])
  assert.is(summary.delivered, summary.expected)
  assert.ok(summary.commits > 20 && summary.delivered >= summary.commits, JSON.stringify(summary))
  assert.ok(summary.observersRemoved >= 1, JSON.stringify(summary))
  assert.ok(summary.killMs.length >= 1 && summary.strategySwitches >= 1, JSON.stringify(summary))
  const kinds = objects.filter(({ type }) => type === 'event').map(({ kind }) => kind)
  assert.equal(kinds.filter((kind) => kind === 'watching' || kind === 'hanging' || kind === 'killed').slice(0, 4), [
    'watching',
    'hanging',
    'killed',
    'watching',
  ])
  const observers = objects
    .filter(({ kind }) => kind === 'hanging' || kind === 'killed')
    .map((event) => event.observers)
  assert.equal(observers.slice(0, 2), [3, 2])
})

test('off a terminal it prints plain lines, without colours, and a summary', async () => {
  const { code, stdout, stderr } = await runProgram(cli, ['demo', '-s', '2.5'])
  assert.is(code, 0, stdout + stderr)
  assert.is(stderr, '')
  assert.match(stdout, /cpu \d+\.\d %, smooth \d+\.\d %, (idle|normal|busy|overloaded)/)
  assert.match(stdout, /\n {2}lost: 0\n/)
  assert.not.ok(stdout.includes('\x1b'))
})

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  test(`${name} ends it with the summary, even if it comes twice at once`, async () => {
    const act = (child: ChildProcess) => [child.kill(name), child.kill(name)]
    const { code, stdout, stderr } = await runProgram(cli, ['demo'], { when: /is watching/, act })
    assert.is(code, 0, stdout + stderr)
    assert.match(stdout, /\n {2}lost: 0\n/)
  })
}

test('SIGINT at the first sign of life ends it, too', async () => {
  const act = (child: ChildProcess) => child.kill('SIGINT')
  const { code, stdout, stderr } = await runProgram(cli, ['demo', '--json'], { when: /./, act })
  assert.is(code, 0, stdout + stderr)
  assert.is(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '').lost, 0)
})

test('a watcher that hangs does not keep it from ending', async () => {
  const act = (child: ChildProcess) => child.kill('SIGINT')
  const { code, stdout, stderr } = await runProgram(cli, ['demo'], { when: /hangs in an endless loop/, act })
  assert.is(code, 0, stdout + stderr)
  assert.match(stdout, /\n {2}lost: 0\n/)
})

test('when nobody reads any more it ends quietly', async () => {
  const act = (child: ChildProcessWithoutNullStreams) => child.stdout.destroy()
  const { code, stderr } = await runProgram(cli, ['demo'], { when: /./, act })
  assert.equal([code, stderr], [0, ''])
})

test.run()
