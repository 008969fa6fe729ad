import type { Process } from '../../src/actors/process.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { type Puppet, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('links')

const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Ends a puppet and waits until the exits that this caused have arrived where the test's process can see them. */
async function end(stage: Stage, { pid }: Puppet, reason: unknown): Promise<void> {
  stage.self.exit(pid, reason as string)
  await eventually(() => !stage.system.isAlive(pid))
}

each('C1 a link holds in both directions, whoever made it', async (stage, place) => {
  const [makes, gets] = [await stage.puppet(place), await stage.puppet('scheduler thread', { thread: 1 })]
  for (const [one, other] of [
    [makes, gets],
    [await stage.puppet('scheduler thread', { thread: 1 }), await stage.puppet(place)],
  ] as const) {
    await one.do('trapExit', true)
    await one.linkTo(other)
    await end(stage, other, 'from the one that got it')
    assert.equal(await stage.heardBy(one), { type: 'EXIT', pid: other.pid, reason: 'from the one that got it' })
  }
  const [dies, sees] = [await stage.puppet(place), await stage.puppet(place)]
  await sees.do('trapExit', true)
  await dies.linkTo(sees)
  await end(stage, dies, 'from the one that made it')
  assert.equal(await stage.heardBy(sees), { type: 'EXIT', pid: dies.pid, reason: 'from the one that made it' })
})

each('C2 there is at most one link between two processes: link twice, unlink once', async (stage, place) => {
  const other = await stage.puppet(place)
  stage.self.link(other.pid)
  stage.self.link(other.pid)
  const links = (await stage.system.info(other.pid))?.links
  assert.equal(links, [stage.self.pid])
  stage.self.unlink(other.pid)
  assert.equal((await stage.system.info(other.pid))?.links, [])
  await end(stage, other, 'boom')
  assert.equal((await stage.system.info(stage.self.pid))?.links, [])
})

each('C2 links that both sides make are one, and one EXIT comes of it', async (stage, place) => {
  const other = await stage.puppet(place)
  stage.self.trapExit = true
  const made = other.do('link', stage.self.pid)
  stage.self.link(other.pid)
  await made
  stage.self.exit(other.pid, 'boom')
  assert.equal(await stage.hear(), { type: 'EXIT', pid: other.pid, reason: 'boom' })
  await (await stage.puppet(place)).do('ref')
  assert.equal(await stage.rest(), [])
})

each('C3 linking to a dead process gives EXIT with noproc to one that traps exits', async (stage, place) => {
  const dead = await stage.dead(place)
  stage.self.trapExit = true
  stage.self.link(dead)
  assert.equal(await stage.hear(), { type: 'EXIT', pid: dead, reason: 'noproc' })
  assert.equal((await stage.system.info(stage.self.pid))?.links, [])
})

each('C3b linking to a dead process ends one that does not trap exits with noproc', async (stage, place) => {
  const dead = await stage.dead(place)
  for (const where of ['same thread', place] as const) {
    const linker = await stage.puppet(where, { monitor: true })
    linker.tell('link', dead)
    assert.is(await stage.reasonOf(linker.pid), 'noproc')
  }
})

each('C3 linking to an isolated process in the moment of its death is never missed', async (stage, place) => {
  for (let round = 0; round < 5; round++) {
    const linker = await stage.puppet(place, { monitor: true })
    const dying = await stage.puppet('isolated')
    dying.tell('exitWith', 'boom')
    linker.tell('link', dying.pid)
    const reason = await stage.reasonOf(linker.pid)
    assert.ok(['boom', 'noproc'].includes(String(reason)), String(reason))
  }
})

each('C4 after unlink no exit of that link arrives', async (stage, place) => {
  stage.self.trapExit = true
  for (let round = 0; round < (place === 'isolated' ? 5 : 200); round++) {
    const other = await stage.puppet(place, { link: true })
    other.tell('exitWith', 'boom')
    if (round % 2 === 0) await turn()
    stage.self.unlink(other.pid)
    stage.self.send(stage.self.pid, 'unlinked')
    await eventually(() => !stage.system.isAlive(other.pid))
    await turn()
    const seen = await stage.rest()
    assert.is(seen.at(-1), 'unlinked', JSON.stringify(seen))
  }
})

each('C4 the other side of an unlinked process lives on as well', async (stage, place) => {
  const [one, other] = [await stage.puppet(place), await stage.puppet(place)]
  await one.linkTo(other)
  await one.do('unlink', other.pid)
  await one.fence(other.pid)
  await end(stage, one, 'boom')
  assert.is(typeof (await other.do('ref')), 'object')
})

each('C5 a crash travels along a chain of links over several threads', async (stage, place) => {
  const chain = [
    await stage.puppet(place),
    await stage.puppet('scheduler thread', { thread: 1 }),
    await stage.puppet('same thread'),
    await stage.puppet('scheduler thread', { thread: 0 }),
    await stage.puppet(place, { monitor: true }),
  ]
  for (const [i, one] of chain.slice(0, -1).entries()) await one.linkTo(chain[i + 1] as Puppet)
  stage.self.exit((chain[0] as Puppet).pid, 'domino')
  assert.is(await stage.reasonOf((chain.at(-1) as Puppet).pid), 'domino')
  await eventually(() => chain.every(({ pid }) => !stage.system.isAlive(pid)))
})

test('C5 a chain of ten thousand links on one thread falls to its end', async (stage) => {
  const links = 10_000
  /** Spawns the next of the chain, linked to it, until `left` is 0; the last one reports and waits to be told to die. */
  const link = async (self: Process, left: number): Promise<void> => {
    if (left === 0) self.send(stage.self.pid, self.pid)
    else await self.spawn(link, left - 1, { link: true })
    await self.receive()
  }
  const first = await stage.self.spawn(link, links, { monitor: true })
  const last = await stage.hear<Pid>()
  assert.is(stage.system.processes().length > links, true)
  stage.self.exit(last, 'domino')
  assert.is(await stage.reasonOf(first), 'domino')
})

each('C6 a process that traps exits stops a falling chain', async (stage, place) => {
  const [falls, stops, stands] = await Promise.all([0, 1, 2].map(() => stage.puppet(place)))
  await stops?.do('trapExit', true)
  await falls?.linkTo(stops as Puppet)
  await stops?.linkTo(stands as Puppet)
  await end(stage, falls as Puppet, 'boom')
  assert.equal(await stage.heardBy(stops as Puppet), { type: 'EXIT', pid: falls?.pid, reason: 'boom' })
  assert.is(typeof (await stands?.do('ref')), 'object')
})

each('C7 linking to oneself does nothing', async (stage, place) => {
  const one = await stage.puppet(place, { monitor: true })
  await one.do('link', one.pid)
  assert.equal((await stage.system.info(one.pid))?.links, [])
  one.tell('exitWith', 'once')
  assert.is(await stage.reasonOf(one.pid), 'once')
})

each('C8 a dead peer leaves the set of links, on both sides', async (stage, place) => {
  const [one, other] = [await stage.puppet(place), await stage.puppet(place)]
  await one.do('trapExit', true)
  await one.linkTo(other)
  assert.equal((await stage.system.info(one.pid))?.links, [other.pid])
  assert.equal((await stage.system.info(other.pid))?.links, [one.pid])
  await end(stage, other, 'boom')
  await stage.heardBy(one)
  assert.equal((await stage.system.info(one.pid))?.links, [])
})

each('an exit that a linked process is sent by its peer is not the end of the link', async (stage, place) => {
  stage.self.trapExit = true
  const other = await stage.puppet(place, { link: true })
  await other.do('exit', stage.self.pid, 'only asking')
  assert.equal(await stage.hear(), { type: 'EXIT', pid: other.pid, reason: 'only asking' })
  await end(stage, other, 'boom')
  assert.equal(await stage.hear(), { type: 'EXIT', pid: other.pid, reason: 'boom' })
})

test('link, unlink and exit refuse what is no process', ({ self }) => {
  for (const bad of [undefined, 'a name', 42]) {
    for (const use of [
      () => self.link(bad as never),
      () => self.unlink(bad as never),
      () => self.exit(bad as never, 'x'),
    ]) {
      assert.throwsCode(use, 'INVALID_TYPE', /give a Pid/)
    }
  }
  return Promise.resolve()
})

run()
