import { assert, eventually, suite } from '../harness.js'
import { bridgedFor } from '../support/bridged.js'
import { ForeignClient } from '../support/foreign-client.js'
import { collect, gate } from '../support/recorder.js'

const test = suite('seed: cross-language reactive updates')
const withBridged = bridgedFor(test)

test(
  'a foreign client watches our updates',
  withBridged(async ({ ctx, server }) => {
    const counter = await ctx.define('shared_counter', 'integer', 0)
    const client = new ForeignClient(server.address, ctx.id)
    const connected = gate()
    const watching = (async () => {
      const seen: unknown[] = []
      for await (const value of client.values('shared_counter')) {
        connected.open()
        seen.push(value)
        if (Number(value) >= 5) break
      }
      return seen
    })()
    await connected.opened
    for (const value of [1, 2, 3, 4, 5]) await counter.set(value)
    assert.equal(await watching, [0, 1, 2, 3, 4, 5])
    client.close()
  }),
)

test(
  'we watch the updates of a foreign client',
  withBridged(async ({ ctx, server, system: { self } }) => {
    await ctx.define('python_state', 'string', 'initial')
    await ctx.watch(['python_state'], (_name, _previous, value, { source }) => self.send(self.pid, [value, source]), {
      includeInitial: false,
    })
    const client = new ForeignClient(server.address, ctx.id)
    const states = ['connecting', 'processing', 'complete']
    for (const state of states) await client.set('python_state', 'string', state, { source: 'python' })
    assert.equal(
      await collect(self, 3),
      states.map((state) => [state, 'python']),
    )
    client.close()
  }),
)

test(
  'bidirectional reactive flow',
  withBridged(async ({ ctx, server }) => {
    await ctx.define('temperature', 'float', 20)
    await ctx.define('fan_speed', 'integer', 0)
    await ctx.watchOne('temperature', async (_name, _previous, value) => {
      const temperature = Number(value)
      await ctx.set('fan_speed', temperature < 20 ? 0 : temperature < 25 ? 1 : temperature < 30 ? 2 : 3)
    })
    await ctx.set('temperature', 35)
    await eventually(async () => (await ctx.get('fan_speed')) === 3)

    const client = new ForeignClient(server.address, ctx.id)
    let temperature = 20
    for await (const fan of client.values('fan_speed')) {
      temperature = Math.max(15, temperature - Number(fan) * 2)
      await client.set('temperature', 'float', temperature)
      if (temperature <= 15) break
    }
    assert.is(temperature, 15)
    await eventually(async () => (await ctx.get('fan_speed')) === 0)
    client.close()
  }),
)

test.run()
