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
  const cycle = objects.filter(({ kind }) => kind === 'watching' || kind === 'hanging' || kind === 'killed')
  assert.equal(
    cycle.slice(0, 3).map(({ kind, observers }) => [kind, observers]),
    [
      ['watching', 3],
      ['hanging', 3],
      ['killed', 2],
    ],
  )
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

test('a fresh watcher takes the place of the one that was killed', async () => {
  const act = (child: ChildProcess) => child.kill('SIGINT')
  const when = /killed #PID<(\S+)>: .*, 2 observers of cpu.*isolated watcher (?!#PID<\1>)\S+ is watching: 3 observers/s
  const { code, stdout, stderr } = await runProgram(cli, ['demo', '--seconds', '40'], { when, act })
  assert.is(code, 0, stdout + stderr)
  assert.match(stdout, when)
})

test('when nobody reads any more it ends quietly', async () => {
  const act = (child: ChildProcessWithoutNullStreams) => child.stdout.destroy()
  const { code, stderr } = await runProgram(cli, ['demo'], { when: /./, act })
  assert.equal([code, stderr], [0, ''])
})

test.run()
