import { VirtualClock } from '../../src/testing/index.js'
import { Clerk } from '../fixtures/clerk.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const clock = new VirtualClock()
const { test, each, run } = stages('servers: continue, idle timeout and stop', { clock })

/** What clerks have told so far. */
async function told(stage: Stage): Promise<unknown[]> {
  return (await stage.rest()).filter((message) => typeof message === 'string')
}

each('E16 handleContinue runs after init, before anything that is queued', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid, init: 'continues' })
  assert.is(await clerk.file('one'), 1)
  assert.equal(await told(stage), ['init', 'continue first', 'continue second', 'info "queued in init"'])
})

each('E16 the caller has its answer before handleContinue, which comes before the queue', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  const [answer, count] = await Promise.all([clerk.continueInto('first', 'last'), clerk.file('one')])
  assert.equal([answer, count], ['answered', 1])
  await clerk.file('two')
  assert.equal(await told(stage), ['init', 'continue first', 'continue last', 'info "queued in the call"'])
})

each('E16 handleContinue may stop the server, or end it by a throw', async (stage, place) => {
  for (const [arg, reason] of [
    ['stop', /continued to the end/],
    ['throw', /continued into trouble/],
  ] as const) {
    const clerk = await stage.start(place, Clerk, { boss: stage.self.pid }, { monitor: true })
    assert.is(await clerk.continueInto(arg), 'answered')
    assert.match(JSON.stringify(await stage.reasonOf(clerk.pid)), reason)
    const [, , terminate] = await told(stage)
    assert.match(terminate as string, reason)
  }
})

test('E17 the idle timeout comes once, after silence', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid, init: 'idles' })
  clock.advance(999)
  const probe = await stage.puppet()
  await probe.do('ref')
  assert.equal(await told(stage), ['init'])
  clock.advance(1)
  assert.is(await stage.hear(), 'timeout')
  clock.advance(5000)
  await clerk.file('one')
  assert.equal(await told(stage), [])
  await clerk.idleFor(10)
  clock.advance(10)
  assert.is(await stage.hear(), 'timeout')
})

test('E17b any message cancels the idle timeout for good', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid, init: 'idles' })
  stage.self.send(clerk.pid, 'hey')
  await clerk.file('one')
  clock.advance(5000)
  await clerk.file('two')
  assert.equal(await told(stage), ['init', 'info "hey"'])
})

test('E17b a message that is ahead of the idle timeout cancels it', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid })
  await clerk.idleFor(10)
  stage.self.send(clerk.pid, 'just in time')
  clock.advance(10)
  await clerk.file('one')
  assert.equal(await told(stage), ['init', 'info "just in time"'])
})

each('E17 the real clock of other threads runs too', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  await clerk.idleFor(5)
  if (place === 'same thread') clock.advance(5)
  assert.equal([await stage.hear(), await stage.hear()], ['init', 'timeout'])
})

test('E17 the idle timeout ends with its server, and refuses what is no time', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid }, { monitor: true })
  const pending = clock.pending
  await clerk.idleFor(Number.POSITIVE_INFINITY)
  assert.is(clock.pending, pending)
  await clerk.idleFor(10)
  assert.is(clock.pending, pending + 1)
  await assert.rejects(clerk.idleFor(Number.NaN), 'NOPROC', /NaN is no time to wait/)
  await stage.reasonOf(clerk.pid)
  assert.is(clock.pending, pending)
})

each('E21 stop runs terminate and resolves only after death', async (stage, place) => {
  for (const how of ['reference', 'process'] as const) {
    const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
    if (how === 'reference') await clerk.stop('that is it')
    else await stage.self.stop(clerk, { my: ['reason', 1] })
    assert.is(stage.system.isAlive(clerk.pid), false)
    const reason = how === 'reference' ? '"that is it"' : '{"my":["reason",1]}'
    assert.equal(await told(stage), ['init', `terminate ${reason}`])
  }
})

each('E21 stop comes in its turn, and tells links and monitors', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid }, { monitor: true })
  const counts = [clerk.fileAsked('one'), clerk.file('two')]
  const stopping = clerk.stop()
  stage.self.reply(await stage.called(), 'yes')
  assert.equal(await Promise.all(counts), [1, 2])
  await stopping
  assert.is(await stage.reasonOf(clerk.pid), 'normal')
})

each('E21 stop rejects for the dead, the nameless and oneself', async (stage, place) => {
  const dead = await stage.dead(place)
  for (const to of [dead, 'nobody']) {
    assert.is((await assert.rejects(stage.self.stop(to), 'NOPROC')).details['reason'], 'noproc')
  }
  assert.is((await assert.rejects(stage.self.stop(stage.self.pid), 'NOPROC')).details['reason'], 'calling_self')
})

each('E21 stop rejects when the process ends for another reason', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  const refused = [clerk.fileAsked('one'), clerk.stop()].map((waiting) => assert.rejects(waiting, 'NOPROC'))
  await stage.called()
  stage.self.exit(clerk.pid, 'kill')
  for (const { details } of await Promise.all(refused)) assert.is(details['reason'], 'killed')
})

test('E21 stop waits no longer than it is told to', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid })
  void clerk.fileAsked('one').catch(() => {})
  const stopping = clerk.stop('normal', { timeout: 100 })
  const from = await stage.called()
  clock.advance(100)
  await assert.rejects(stopping, 'CALL_TIMEOUT', /the stop of/)
  stage.self.reply(from, 'yes')
})

each('E21 a process function ends at once, and links see the reason', async (stage, place) => {
  const puppet = await stage.puppet(place, { monitor: true })
  await stage.self.stop(puppet.pid, 'enough')
  assert.is(stage.system.isAlive(puppet.pid), false)
  assert.is(await stage.reasonOf(puppet.pid), 'enough')
})

run()
