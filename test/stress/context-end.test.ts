import { Context } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { gate, Recorder, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('stress: the end of contexts in a flood of writes', { timeout: 120_000 })
const system = systemFor(test, { threads: 1 })

const WRITES = 1500

/** A context with a watched variable, and how the watch ended. */
async function watched() {
  const ctx = await Context.start(system(), { timeout: 100_000 })
  await ctx.define('x', 'integer', 0)
  const seen = new Recorder()
  const { opened: ended, open } = gate<{ code: string }>()
  await ctx.watchOne('x', seen.callback, { onError: (error) => open(error as { code: string }) })
  const flood = () =>
    range(1, WRITES).map((value) => ctx.set('x', value).catch((error: { code: string }) => error.code))
  return { ctx, seen, ended, flood }
}

test('W2 W9 a context that is stopped ends when all it was sent before is written, answered and told', async () => {
  const all = await Promise.all(range(1, 8).map(watched))
  const writes = all.map(({ flood }) => flood())
  await Promise.all(all.map(({ ctx }) => ctx.stop()))
  for (const [index, { seen, ended }] of all.entries()) {
    assert.is((await ended).code, 'UNAVAILABLE')
    assert.equal(seen.values, range(1, WRITES))
    assert.equal(
      await Promise.all(writes[index] ?? []),
      range(1, WRITES).map((version) => ({ version, revision: version + 1 })),
    )
  }
})

test('W2 W9 when a context is killed, its watches are told all that it had written, and then its end', async () => {
  const all = await Promise.all(range(1, 8).map(watched))
  const writes = all.map(({ flood }) => flood())
  await writes[0]?.[100]
  for (const { ctx } of all) system().self.exit(ctx.pid, 'kill')
  for (const [index, { ctx, seen, ended }] of all.entries()) {
    assert.is((await ended).code, 'UNAVAILABLE')
    assert.equal(seen.values, range(1, ctx.peek('x') as number))
    for (const outcome of await Promise.all(writes[index] ?? []))
      assert.ok(typeof outcome !== 'string' || outcome === 'NOPROC')
  }
})

test.run()
