import { assert } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, run } = stages('signals that cannot leave their batch')

const module = new URL('../fixtures/batched.js', import.meta.url)

test('an answer that is lost is an error for its caller', async ({ self }) => {
  const pid = await self.spawn({ module, export: 'batched' }, self.pid, { thread: 'system' })
  await assert.rejects(self.call(pid, 'ask', { timeout: 20_000 }), 'NOT_CLONEABLE')
  self.exit(pid, 'kill')
})

test('a call that is lost is rejected', async (stage) => {
  const { self } = stage
  const pid = await self.spawn({ module, export: 'batched' }, self.pid, { thread: 'system' })
  self.send(pid, 'call me')
  assert.equal(await stage.hear(), { refused: 'NOT_CLONEABLE' })
  self.exit(pid, 'kill')
})

run()
