import { inspect } from 'node:util'
import { Alias, type Pid } from '../../src/index.js'
import { assert } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, each, run } = stages('aliases')

each('D9 a message to an alias that was closed is dropped before the mailbox', async (stage, place) => {
  const puppet = await stage.puppet(place)
  const alias = stage.self.alias()
  await puppet.do('send', alias, 'one')
  assert.is(await stage.hear(), 'one')
  await puppet.do('cast', alias, 'two')
  assert.is((await stage.hear<{ request: unknown }>()).request, 'two')
  const { deadLetters } = stage.system.stats()
  assert.is(stage.self.unalias(alias), true)
  assert.is(stage.self.unalias(alias), false)
  await puppet.do('send', alias, 'three')
  await puppet.do('cast', alias, 'four')
  await puppet.do('send', stage.self.pid, 'fence')
  assert.is(await stage.hear(), 'fence')
  assert.is(stage.system.stats().deadLetters, deadLetters + 2)
})

each('D9 an alias for one message closes with it', async (stage, place) => {
  const puppet = await stage.puppet(place)
  const alias = stage.self.alias({ once: true })
  for (const message of ['one', 'two']) await puppet.do('send', alias, message)
  await puppet.do('send', stage.self.pid, 'fence')
  assert.equal([await stage.hear(), await stage.hear()], ['one', 'fence'])
  assert.is(stage.self.unalias(alias), false)
})

each('D9 an alias survives messages; only its own process closes it', async (stage, place) => {
  const puppet = await stage.puppet(place)
  const alias = await puppet.do<Alias>('alias')
  assert.instance(alias, Alias)
  assert.is(alias.equals(await puppet.do<Alias>('alias')), false)
  assert.is(stage.self.unalias(alias), false)
  stage.self.send(alias, 'hello')
  assert.is(await stage.heardBy(puppet), 'hello')
  assert.is(await puppet.do('unalias', alias), true)
  stage.self.send(alias, 'nobody hears it')
  stage.self.send(puppet.pid, 'fence')
  assert.is(await stage.heardBy(puppet), 'fence')
})

each('D9 an alias of the dead is a dead letter', async (stage, place) => {
  const puppet = await stage.puppet(place, { monitor: true })
  const alias = await puppet.do<Alias>('alias')
  puppet.tell('exitWith', 'normal')
  await stage.reasonOf(puppet.pid)
  stage.self.send(alias, 'nobody hears it')
  assert.equal(await stage.rest(), [])
})

test('an alias is for messages alone', async (stage) => {
  const alias = stage.self.alias() as unknown as Pid
  assert.throwsCode(() => stage.self.monitor(alias), 'INVALID_TYPE')
  assert.throwsCode(() => stage.self.exit(alias, 'kill'), 'INVALID_TYPE')
  await assert.rejects(stage.self.call(alias, 'x'), 'INVALID_TYPE')
})

test('a printed pid, reference or alias shows its text', async (stage) => {
  for (const one of [stage.self.pid, stage.self.ref(), stage.self.alias()]) {
    assert.is(inspect(one), one.toString())
    assert.is(inspect({ in: [one] }), `{ in: [ ${one} ] }`)
  }
})

run()
