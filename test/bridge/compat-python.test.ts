import { BridgeServer } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { runPython } from '../support/python.js'
import { systemFor } from '../support/system.js'

const test = suite('compatible service: a Python client', { timeout: 120_000 })
const system = systemFor(test, { threads: 1 })

interface Outcome {
  readonly check: string
  readonly error: string | null
}

/** What the script checks, each reported by itself. */
const checks = [
  'sessions',
  'life_of_variables',
  'words_of_variables',
  'values_of_every_type',
  'pickles_come_back_untouched',
  'batches',
  'errors_are_told_apart',
  'many_threads_share_a_channel',
  'optimization',
  'history_and_rollback',
  'dependencies',
  'watching',
  'host_tools',
  'tools_of_a_worker',
]

let outcomes: readonly Outcome[] = []

test('the script runs all its checks', async () => {
  await using server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
  server.tools.add({
    name: 'greet',
    parameters: [{ name: 'who', type: 'string', required: true }],
    run: ({ who }) => `hello ${who}`,
  })
  server.tools.add({
    name: 'count',
    streaming: true,
    run: async function* ({ to }) {
      for (let at = 1; at <= Number(to); at++) yield at
    },
  })
  outcomes = (await runPython('client.py', [server.address])) as Outcome[]
  assert.equal(
    outcomes.map(({ check }) => check),
    checks,
  )
})

for (const name of checks)
  test(name.replaceAll('_', ' '), () => {
    const outcome = outcomes.find(({ check }) => check === name)
    if (outcome === undefined) throw new Error('the script did not come to it')
    if (outcome.error !== null) throw new Error(outcome.error)
  })

test.run()
