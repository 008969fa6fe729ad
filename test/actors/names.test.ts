import { errorOf } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('names', {}, 60_000)

const elsewhere: Readonly<Record<Place, Place>> = {
  'same thread': 'scheduler thread',
  'scheduler thread': 'same thread',
  isolated: 'scheduler thread',
}

each(
  'F1 a name is free by the time its DOWN arrives, every time, on whatever thread it is taken next',
  async (stage, place) => {
    let next = place
    for (let round = 0; round < (place === 'isolated' ? 20 : 200); round++) {
      const one = await stage.puppet(next, { name: 'contested', monitor: true })
      one.tell('exitWith', 'bye')
      await stage.reasonOf(one.pid)
      assert.is(stage.system.whereis('contested'), undefined)
      next = next === place ? elsewhere[place] : place
    }
  },
)

each(
  'F1 a name is free by the time the EXIT of a link arrives, when its thread is killed too',
  async (stage, place) => {
    stage.self.trapExit = true
    for (let round = 0; round < 10; round++) {
      const one = await stage.puppet(place, { name: 'contested', link: true })
      stage.self.exit(one.pid, 'kill')
      await stage.hear()
      assert.is(stage.system.whereis('contested'), undefined)
      await stage.puppet('same thread', { name: `heir ${round}` })
    }
  },
)

each('F2 a name that a live process has is refused, and the refused process never runs', async (stage, place) => {
  const holder = await stage.puppet(place, { name: 'taken' })
  for (const where of ['same thread', place] as const) {
    const options = { name: 'taken', monitor: true, link: true }
    const { details, message } = await assert.rejects(stage.puppet(where, options), 'ALREADY_REGISTERED')
    assert.match(message, /'taken' belongs to a live process/)
    assert.ok(holder.pid.equals(details['pid']))
  }
  const refused = errorOf(await holder.do('try', { move: 'register', args: ['taken'] }))
  assert.is(refused.code, 'ALREADY_REGISTERED')
  await assert.rejects(stage.self.register('taken'), 'ALREADY_REGISTERED')
  assert.equal(await stage.rest(), [])
})

each('F2 of many that want a name at one time exactly one gets it', async (stage, place) => {
  for (let round = 0; round < 5; round++) {
    const name = `wanted ${round}`
    const tries = [...Array(4)].flatMap(() =>
      (['same thread', place, 'scheduler thread'] as const).map((where) => stage.puppet(where, { name })),
    )
    const outcomes = await Promise.allSettled(tries)
    const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.pid] : []))
    assert.is(won.length, 1)
    assert.equal(stage.system.whereis(name), won[0])
  }
})

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
