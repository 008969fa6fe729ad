import type { Call } from '../../src/actors/messages.js'
import { Server } from '../../src/actors/server.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk, hidden, Nameless } from '../fixtures/desk.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('servers: beginning and end')

/** What the desks of a test have told so far. */
async function events(stage: Stage): Promise<string[]> {
  const seen = (await stage.rest()) as { event?: string }[]
  return seen.flatMap(({ event }) => (event === undefined ? [] : [event]))
}

each('E1 start resolves after init, and not before', async (stage, place) => {
  let started = false
  const starting = stage.start(place, Desk, { boss: stage.self.pid, init: 'asks' }).then((desk) => {
    started = true
    return desk
  })
  const isCall = (message: unknown): message is Call => (message as Call).type === 'CALL'
  const { from } = await stage.self.receive(isCall)
  await (await stage.puppet(place)).do('ref')
  assert.is(started, false)
  stage.self.reply(from, 'yes')
  assert.equal(await (await starting).log(), [])
})

for (const [init, reason] of [
  ['stops', 'no desk today'],
  ['ignores', 'normal'],
  ['exits', 'by itself'],
] as const) {
  each(
    `E1 an init that ${init} rejects with NOPROC and the reason, and links and monitors see it`,
    async (stage, place) => {
      stage.self.trapExit = true
      const options = { link: true, monitor: true }
      const starting = stage.start(place, Desk, { boss: stage.self.pid, init }, options)
      const { details, message } = await assert.rejects(starting, 'NOPROC', /Desk/)
      assert.is(details['reason'], reason, message)
      const deaths = (await stage.rest()) as { type?: string; reason?: unknown }[]
      for (const type of ['EXIT', 'DOWN']) assert.is(deaths.find((one) => one.type === type)?.reason, reason)
    },
  )
}

each('E1 an init that is killed while it waits rejects the start', async (stage, place) => {
  const options = { name: 'unready', monitor: true }
  const starting = stage.start(place, Desk, { boss: stage.self.pid, init: 'asks' }, options)
  await stage.self.receive((message) => (message as Call).type === 'CALL')
  stage.self.exit(stage.system.whereis('unready') as Pid, 'kill')
  const { details } = await assert.rejects(starting, 'NOPROC')
  assert.is(details['reason'], 'killed')
})

each(
  'E1 an init that throws rejects with NOPROC and the error, and links and monitors see it',
  async (stage, place) => {
    stage.self.trapExit = true
    const starting = stage.start(place, Desk, { boss: stage.self.pid, init: 'throws' }, { link: true, monitor: true })
    const { details, cause } = await assert.rejects(starting, 'NOPROC', /no desk today/)
    const { name, message, code } = (details['reason'] as { error: { name: string; message: string; code: string } })
      .error
    assert.equal([name, message, code], ['RangeError', 'no desk today', 'E_DESK'])
    assert.is((cause as Error).message, 'no desk today')
    const deaths = (await stage.rest()) as { type?: string; reason?: unknown }[]
    for (const type of ['EXIT', 'DOWN']) {
      assert.equal(deaths.find((one) => one.type === type)?.reason, details['reason'])
    }
  },
)

each('E18 terminate runs after stop and after a throw', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  desk.cast.finish('as told', 'nobody waits')
  assert.is(await stage.reasonOf(desk.pid), 'as told')
  assert.equal(await events(stage), ['init', 'terminate'])
  const other = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  await assert.rejects(other.fail('broken'), 'NOPROC')
  assert.equal(await events(stage), ['init', 'terminate'])
})

each('E18 terminate does not run on kill, nor on an exit that is not trapped', async (stage, place) => {
  for (const reason of ['kill', 'shutdown', 'why not']) {
    const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
    stage.self.exit(desk.pid, reason)
    assert.is(await stage.reasonOf(desk.pid), reason === 'kill' ? 'killed' : reason)
    assert.equal(await events(stage), ['init'])
  }
})

each('E19 terminate runs before the caller gets the answer of a stop, and before its DOWN', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  assert.is(await desk.finish('done', 'my answer'), 'my answer')
  assert.equal(await events(stage), ['init', 'terminate'])
  const other = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  await assert.rejects(other.fail('broken'), 'NOPROC')
  assert.equal(await events(stage), ['init', 'terminate'])
})

each('E18 stop from handleInfo ends the server too', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  stage.self.send(desk.pid, 'please stop')
  assert.is(await stage.reasonOf(desk.pid), 'as told')
  assert.equal(await events(stage), ['init', 'info', 'terminate'])
})

each('E20 a server that traps exits ends with its parent, after terminate', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid, init: 'traps exits' }, { monitor: true })
  stage.self.exit(desk.pid, 'shutdown')
  assert.is(await stage.reasonOf(desk.pid), 'shutdown')
  assert.equal(await events(stage), ['init', 'terminate'])
})

each('E20 the exit of a stranger goes to handleInfo', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid, init: 'traps exits' })
  const stranger = await stage.puppet(place)
  await stranger.do('exit', desk.pid, 'a stranger says so')
  assert.equal(await stranger.do('call', desk.pid, { method: 'log', args: [] }), [])
  assert.equal(await events(stage), ['init', 'info'])
})

each('E22 a name in use rejects with ALREADY_REGISTERED and its holder, and init has not run', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { name: 'front desk' })
  assert.equal(await events(stage), ['init'])
  for (let round = 0; round < 3; round++) {
    const options = { name: 'front desk', link: true, monitor: true }
    const second = stage.start(place, Desk, { boss: stage.self.pid }, options)
    const { details } = await assert.rejects(second, 'ALREADY_REGISTERED', /front desk/)
    assert.is(details['name'], 'front desk')
    assert.ok(desk.pid.equals(details['pid']))
  }
  assert.equal(await stage.rest(), [])
  assert.equal(await desk.log(), [])
})

each('E24 a method that throws ends the server with that error as the reason', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { monitor: true })
  desk.cast.fail('broken in a cast')
  const { error } = (await stage.reasonOf(desk.pid)) as { error: Record<string, string> }
  assert.equal([error['name'], error['message'], error['code']], ['TypeError', 'broken in a cast', 'E_FAIL'])
  assert.match(error['stack'] as string, /desk/)
})

test('a class without a module runs on the thread that starts it, and nowhere else', async (stage) => {
  const answer = await stage.self.start(Nameless, { boss: stage.self.pid })
  assert.is(await answer.answer(), 42)
  assert.is(answer.pid.thread, stage.self.pid.thread)
  const elsewhere = stage.self.start(Nameless, { boss: stage.self.pid }, { thread: 0 })
  await assert.rejects(elsewhere, 'BAD_ENTRY', /module/)
  stage.self.exit(answer.pid, 'kill')
})

each('a class that its module does not export rejects, and says what to do', async (stage, place) => {
  const { details } = await assert.rejects(stage.start(place, hidden(), undefined), 'NOPROC', /Hidden.*export it/)
  assert.is((details['reason'] as { error: { code: string } }).error.code, 'BAD_ENTRY')
})

test('a server whose terminate throws ends with that error', async (stage) => {
  class Clumsy extends Server {
    end(): never {
      return this.stop('normal', 'bye')
    }
    override terminate(): void {
      throw new Error('fell over')
    }
  }
  const clumsy = await stage.self.start(Clumsy, undefined, { monitor: true })
  await assert.rejects(clumsy.end(), 'NOPROC', /fell over/)
  assert.match(JSON.stringify(await stage.reasonOf(clumsy.pid)), /fell over/)
})

test('what a server starts in the middle of a message runs after it', async (stage) => {
  const order: string[] = []
  class Busy extends Server<{ iso: Pid | undefined }> {
    work(): string[] {
      this.self.cast(this.self.pid, { method: 'next', args: [] })
      const module = new URL('../fixtures/puppet.js', import.meta.url)
      void this.self.spawn({ module, export: 'puppet' }, this.self.pid, { thread: 'isolated', link: true })
      order.push('work has spawned')
      return order
    }
    next(): void {
      order.push('next')
    }
    seen(): string[] {
      return order
    }
  }
  const busy = await stage.self.start(Busy, { iso: undefined })
  assert.equal(await busy.work(), ['work has spawned'])
  assert.equal(await busy.seen(), ['work has spawned', 'next'])
  stage.self.exit(busy.pid, 'kill')
})

run()
