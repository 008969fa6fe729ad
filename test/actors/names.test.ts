import { errorOf } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('names', {}, 60_000)

each('a name is found from every thread as soon as spawn or register has resolved', async (stage, place) => {
  const witness = await stage.puppet('scheduler thread', { thread: 1 })
  const own = await stage.puppet(place, { name: 'named at birth' })
  await own.do('register', 'named later')
  for (const name of ['named at birth', 'named later']) {
    assert.equal(stage.system.whereis(name), own.pid)
    assert.equal(await witness.do('finds', name), own.pid)
    await witness.do('send', name, `to ${name}`)
    assert.is(await stage.heardBy(own), `to ${name}`)
  }
  assert.equal((await stage.system.info(own.pid))?.names, ['named at birth', 'named later'])
})

each('several names at birth are given all or none', async (stage, place) => {
  const one = await stage.puppet(place, { name: ['a', 'b'], monitor: true })
  for (const name of ['a', 'b']) assert.equal(stage.system.whereis(name), one.pid)
  await assert.rejects(stage.puppet(place, { name: ['c', 'b'] }), 'ALREADY_REGISTERED')
  await eventually(() => stage.system.whereis('c') === undefined)
  one.tell('exitWith', 'bye')
  await stage.reasonOf(one.pid)
  for (const name of ['a', 'b']) assert.is(stage.system.whereis(name), undefined)
})

each('all names of a dead process are free for one process', async (stage, place) => {
  const names = [...Array(20).keys()].map((i) => `name ${i}`)
  const first = await stage.puppet(place, { name: names, monitor: true })
  stage.self.exit(first.pid, 'kill')
  await stage.reasonOf(first.pid)
  const heir = await stage.puppet('scheduler thread', { thread: 1, name: names })
  assert.equal((await stage.system.info(heir.pid))?.names, names)
})

each('a name that is unregistered is free at once, and is only its own process’s to give up', async (stage, place) => {
  const one = await stage.puppet(place, { name: ['kept', 'given up'] })
  await one.do('unregister', 'given up')
  assert.is(stage.system.whereis('given up'), undefined)
  await stage.self.register('given up')
  assert.equal((await stage.system.info(one.pid))?.names, ['kept'])
  for (const name of ['given up', 'nobody’s']) {
    const order = { move: 'unregister', args: [name] }
    assert.is(errorOf(await one.do('try', order)).code, 'NOPROC')
  }
  assert.is(errorOf(await one.do('try', { move: 'unregister', args: [5] })).code, 'INVALID_TYPE')
  await stage.self.unregister('given up')
  await one.do('register', 'given up')
  assert.equal(stage.system.whereis('given up'), one.pid)
})

each('names of all kinds work, and what is none is refused', async (stage, place) => {
  for (const name of ['ä ö ü', '名前', '😀', 'a'.repeat(512), ' ', '__proto__', 'constructor', '\u0000']) {
    const one = await stage.puppet(place, { name })
    assert.equal(stage.system.whereis(name), one.pid, name)
  }
  for (const name of ['', 42, null, {}, 'a'.repeat(513)]) {
    await assert.rejects(stage.puppet(place, { name: name as string }), 'INVALID_TYPE')
  }
  for (const name of ['', 42]) await assert.rejects(stage.self.register(name as string), 'INVALID_TYPE', /no name/)
})

test('short-lived names do not pile up', async (stage: Stage) => {
  for (let i = 0; i < 3000; i++) {
    await stage.self.spawn(() => {}, undefined, { name: `short-lived ${i}` })
  }
  await eventually(() => stage.system.whereis('short-lived 2999') === undefined)
  for (let i = 0; i < 3000; i += 500) assert.is(stage.system.whereis(`short-lived ${i}`), undefined)
})

run()
