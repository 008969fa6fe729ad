import type { TraceEvent } from '../../src/actors/trace.js'
import { Clerk, Vault } from '../fixtures/clerk.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, each, run } = stages('system messages')

each('E26 a suspended server takes nothing, and what waits is handled in order after resume', async (stage, place) => {
  const { system } = stage
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  await system.suspend(clerk.pid)
  const waiting = [0, 1, 2].map((item) => clerk.file(item))
  clerk.cast.file(3)
  assert.equal(await system.getState(clerk), { files: [], motto: 'tidy' })
  const info = await system.info(clerk.pid)
  assert.equal([info?.status, info?.messageQueueLength], ['suspended', 4])
  await system.resume(clerk.pid)
  assert.equal(await Promise.all(waiting), [1, 2, 3])
  assert.equal(await system.getState(clerk), { files: [0, 1, 2, 3], motto: 'tidy' })
  assert.is((await system.info(clerk.pid))?.status, 'waiting')
})

each('E26 requests behind the one that suspends are served while messages between them wait', async (stage, place) => {
  const { system } = stage
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  const first = clerk.fileAsked('first')
  const from = await stage.called()
  const before = clerk.file('before')
  const suspending = system.suspend(clerk)
  const between = clerk.file('between')
  const state = system.getState(clerk)
  const resuming = system.resume(clerk)
  const last = system.getState(clerk)
  assert.is((await system.info(clerk.pid))?.status, 'running')
  stage.self.reply(from, 'yes')
  assert.equal(await Promise.all([first, before]), [1, 2])
  await suspending
  assert.equal(await state, { files: ['first', 'before'], motto: 'tidy' })
  await resuming
  assert.equal([await between, await last], [3, { files: ['first', 'before', 'between'], motto: 'tidy' }])
})

each('E28 no message to a suspended server is lost', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  await stage.system.suspend(clerk)
  for (let i = 0; i < 2000; i++) clerk.cast.file(i)
  await stage.system.resume(clerk)
  const { files } = (await stage.system.getState(clerk)) as { files: unknown[] }
  assert.equal(files, [...Array(2000).keys()])
})

each('E27 getState sees and replaceState changes the state between messages', async (stage, place) => {
  const { system } = stage
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  void clerk.file('old')
  assert.equal(await system.getState(clerk), { files: ['old'], motto: 'tidy' })
  await system.replaceState(clerk, { files: ['new'] })
  assert.is(await clerk.file('newer'), 2)
  assert.equal(await system.getState(clerk), { files: ['new', 'newer'], motto: 'tidy' })
  for (const bad of [{ file: 1 }, { self: 1 }, ['x'], 5, null]) {
    await assert.rejects(system.replaceState(clerk, bad), 'INVALID_TYPE', /public field/)
  }
  assert.equal(await system.getState(clerk), { files: ['new', 'newer'], motto: 'tidy' })
})

each('E27 a server may show and take a state of its own', async (stage, place) => {
  const vault = await stage.start(place, Vault, undefined)
  await stage.system.replaceState(vault, { gold: 7 })
  assert.equal(await stage.system.getState(vault), { gold: 7 })
})

each('E27 a state that cannot be sent, or replaced by a hook that throws, harms nobody', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  await clerk.unsendable()
  await assert.rejects(stage.system.getState(clerk), 'NOT_CLONEABLE', /motto/)
  const vault = await stage.start(place, Vault, undefined)
  const error = await stage.system.replaceState(vault, null).catch((thrown: Error) => thrown)
  assert.match(String(error), /null/)
  assert.equal(await stage.system.getState(vault), { gold: 1 })
})

each('E26 the requests work from any thread, and by name', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid }, { name: 'clerk' })
  const other = await stage.puppet('scheduler thread')
  await other.do('suspend', 'clerk')
  const waiting = clerk.file('one')
  assert.equal(await other.do('getState', clerk.pid), { files: [], motto: 'tidy' })
  await other.do('resume', 'clerk')
  assert.is(await waiting, 1)
})

each(
  'E26 exit signals end a suspended server; its parent’s with terminate when it traps exits',
  async (stage, place) => {
    const clerk = await stage.start(place, Clerk, { boss: stage.self.pid }, { monitor: true })
    await stage.system.suspend(clerk)
    stage.self.exit(clerk.pid, 'shutdown')
    assert.is(await stage.reasonOf(clerk.pid), 'shutdown')
    const options = { monitor: true }
    const other = await stage.start(place, Clerk, { boss: stage.self.pid, init: 'traps exits' }, options)
    await stage.system.suspend(other)
    stage.self.exit(other.pid, 'over')
    assert.is(await stage.reasonOf(other.pid), 'over')
    assert.equal(await stage.rest(), ['init', 'init', 'terminate "over"'])
  },
)

each('E26 stop ends a suspended server at once', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  await stage.system.suspend(clerk)
  const waiting = assert.rejects(clerk.file('never'), 'NOPROC')
  await clerk.stop('enough')
  assert.is((await waiting).details['reason'], 'enough')
})

each('E26 a process function that is suspended receives nothing until it is resumed', async (stage, place) => {
  const { system } = stage
  const puppet = await stage.puppet(place)
  await puppet.do('ref')
  assert.is((await system.info(puppet.pid))?.status, 'waiting')
  await system.suspend(puppet.pid)
  for (let i = 0; i < 3; i++) stage.self.send(puppet.pid, i)
  const info = await system.info(puppet.pid)
  assert.equal([info?.status, info?.messageQueueLength], ['suspended', 3])
  await system.resume(puppet.pid)
  assert.equal([await stage.heardBy(puppet), await stage.heardBy(puppet), await stage.heardBy(puppet)], [0, 1, 2])
  await assert.rejects(system.getState(puppet.pid), 'INVALID_TYPE', /shows no state/)
  await system.suspend(puppet.pid)
  stage.self.exit(puppet.pid, 'enough')
  await eventually(() => !system.isAlive(puppet.pid))
})

each('requests to the dead and the nameless are rejected', async (stage, place) => {
  const dead = await stage.dead(place)
  for (const to of [dead, 'nobody']) {
    for (const ask of ['suspend', 'resume', 'getState', 'trace'] as const) {
      await assert.rejects(
        stage.system[ask](to, () => {}),
        'NOPROC',
      )
    }
  }
  assert.equal(await stage.rest(), [])
})

test('a request to a server that is busy for too long is rejected', async (stage) => {
  const clerk = await stage.start('scheduler thread', Clerk, { boss: stage.self.pid })
  void clerk.fileAsked('one').catch(() => {})
  const from = await stage.called()
  await assert.rejects(stage.system.getState(clerk, { timeout: 1 }), 'CALL_TIMEOUT', /getState/)
  stage.self.reply(from, 'yes')
})

/** A listener and what it has heard. */
function recorder() {
  const events: TraceEvent[] = []
  return { events, hear: (event: TraceEvent) => void events.push(event) }
}

each('a trace tells what comes, what is taken, and the end', async (stage, place) => {
  const clerk = await stage.start(place, Clerk, { boss: stage.self.pid })
  const { events, hear } = recorder()
  await stage.system.trace(clerk, hear)
  stage.self.send(clerk.pid, { list: [1] })
  await clerk.file('one')
  await clerk.stop('enough')
  await eventually(() => events.at(-1)?.type === 'exited')
  const seen = events.map((event) => {
    if (event.type === 'exited') return ['exited', event.reason]
    const call = event.message as { type?: string; request?: { method: string; args: unknown[] } }
    return [event.type, call.request ?? event.message]
  })
  const call = { method: 'file', args: ['one'] }
  assert.equal(
    seen.filter(([type]) => type !== 'taken'),
    [
      ['received', { list: [1] }],
      ['received', call],
      ['exited', 'enough'],
    ],
  )
  assert.equal(
    seen.filter(([type]) => type === 'taken'),
    [
      ['taken', { list: [1] }],
      ['taken', call],
    ],
  )
})

each('a trace of a process function tells what its receives take', async (stage, place) => {
  const puppet = await stage.puppet(place)
  const { events, hear } = recorder()
  const trace = await stage.system.trace(puppet.pid, hear)
  stage.self.send(puppet.pid, 'hello')
  await stage.heardBy(puppet)
  await eventually(() => events.length === 2)
  assert.equal(events, [
    { type: 'received', message: 'hello' },
    { type: 'taken', message: 'hello' },
  ])
  trace.stop()
  trace.stop()
  stage.self.send(puppet.pid, 'unheard')
  await stage.heardBy(puppet)
  await puppet.do('ref')
  assert.is(events.length, 2)
})

each('a trace ends after its limit, and with a listener that throws, which is warned of', async (stage, place) => {
  const puppet = await stage.puppet(place)
  const processes = stage.system.processes().length
  const { events, hear } = recorder()
  await stage.system.trace(puppet.pid, hear, { limit: 3 })
  const warned = new Promise((resolve) => process.once('warning', resolve))
  await stage.system.trace(puppet.pid, () => {
    throw new Error('deaf')
  })
  for (let i = 0; i < 5; i++) stage.self.send(puppet.pid, i)
  assert.match(String(await warned), /deaf/)
  await puppet.do('ref')
  await eventually(() => stage.system.processes().length === processes)
  assert.is(events.length, 3)
})

test('a trace from another thread ends with its tracer’s thread', async (stage) => {
  const clerk = await stage.start('same thread', Clerk, { boss: stage.self.pid })
  const tracer = await stage.puppet('isolated')
  await tracer.do('traceFor', clerk.pid, stage.self.pid)
  await clerk.file('one')
  const isTold = (message: unknown): message is { traced: TraceEvent } => typeof message === 'object'
  assert.is((await stage.self.receive(isTold)).traced.type, 'received')
  assert.is((await stage.system.info(clerk.pid))?.monitoredBy.length, 1)
  stage.self.exit(tracer.pid, 'kill')
  await eventually(async () => (await stage.system.info(clerk.pid))?.monitoredBy.length === 0)
  assert.is(await clerk.file('two'), 2)
})

test('a trace refuses what is no listener and no limit', async (stage) => {
  await assert.rejects(stage.system.trace(stage.self.pid, 'x' as never), 'INVALID_TYPE', /no listener/)
  for (const limit of [0, 1.5, Number.NaN, '5' as never]) {
    await assert.rejects(
      stage.system.trace(stage.self.pid, () => {}, { limit }),
      'INVALID_TYPE',
      /limit/,
    )
  }
})

run()
