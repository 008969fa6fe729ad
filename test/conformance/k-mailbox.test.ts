import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { MailboxLimit, Overflow } from '../../src/actors/mailbox.js'
import type { From } from '../../src/actors/messages.js'
import { Desk } from '../fixtures/desk.js'
import type { Order } from '../fixtures/puppet.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Puppet, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('bounded mailboxes')

/** A puppet that takes nothing until `go` is called, with `limit` as its mailbox. */
async function held(stage: Stage, place: Place, mailbox: MailboxLimit): Promise<{ one: Puppet; go: () => void }> {
  const one = await stage.puppet(place, { mailbox, monitor: true })
  one.tell('hold', stage.self.pid)
  const from: From = await stage.called()
  return { one, go: () => stage.self.reply(from, 'go on') }
}

/** Sends 0 to `count - 1` and waits until all have arrived or been dropped. */
async function flood(stage: Stage, { pid }: Puppet, count: number): Promise<number | undefined> {
  for (let i = 0; i < count; i++) stage.self.send(pid, i)
  return (await stage.system.info(pid))?.messageQueueLength
}

const ask = { move: 'ref', args: [] } satisfies Order

const kept: Readonly<Record<Exclude<Overflow, 'exit'>, (limit: number) => number[]>> = {
  'drop-newest': (limit) => [...Array(limit).keys()],
  'drop-oldest': (limit) => [...Array(limit).keys()].map((i) => 10 - limit + i),
}

for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
  for (const limit of [1, 3, 9]) {
    each(`${overflow} with a limit of ${limit} keeps the right messages in order`, async (stage, place) => {
      const { one, go } = await held(stage, place, { limit, overflow })
      assert.is(await flood(stage, one, 10), limit)
      go()
      for (const message of kept[overflow](limit)) assert.is(await stage.heardBy(one), message)
      stage.self.send(one.pid, 'there is room again')
      assert.is(await stage.heardBy(one), 'there is room again')
    })
  }
}

each('overflow exit ends the process with MAILBOX_FULL, at the message that is too many', async (stage, place) => {
  const { one } = await held(stage, place, { limit: 3, overflow: 'exit' })
  assert.is(await flood(stage, one, 3), 3)
  stage.self.send(one.pid, 'one too many')
  const { error } = (await stage.reasonOf(one.pid)) as { error: Record<string, string> }
  assert.is(error['code'], 'MAILBOX_FULL')
  assert.match(error['message'] as string, /full \(3 messages\)/)
})

each(
  'overflow exit: a call that is too many is rejected with that reason, as all that wait are',
  async (stage, place) => {
    const { one } = await held(stage, place, { limit: 1, overflow: 'exit' })
    const calls = [stage.self.call(one.pid, ask), stage.self.call(one.pid, ask)]
    for (const call of calls) {
      const { details } = await assert.rejects(call, 'NOPROC', /mailbox .* is full/)
      assert.is((details['reason'] as { error: { code: string } }).error.code, 'MAILBOX_FULL')
    }
  },
)

for (const overflow of ['drop-newest', 'drop-oldest'] as const) {
  each(`K5 a call that finds the mailbox full is rejected with MAILBOX_FULL (${overflow})`, async (stage, place) => {
    const { one, go } = await held(stage, place, { limit: 2, overflow })
    await flood(stage, one, 2)
    await assert.rejects(stage.self.call(one.pid, ask), 'MAILBOX_FULL', /call again later/)
    go()
    for (const message of [0, 1]) assert.is(await stage.heardBy(one), message)
    assert.type(await stage.self.call(one.pid, ask), 'object')
  })

  each(`K5 calls that wait are never dropped, and the mailbox stays bounded (${overflow})`, async (stage, place) => {
    const { one, go } = await held(stage, place, { limit: 2, overflow })
    const calls = [stage.self.call(one.pid, ask), stage.self.call(one.pid, ask)]
    assert.is(await flood(stage, one, 10), 2)
    go()
    for (const call of calls) assert.type(await call, 'object')
    assert.equal(await stage.rest(), [])
  })

  each(`K5 DOWN and EXIT are never dropped, nor counted against others (${overflow})`, async (stage, place) => {
    const others = await Promise.all([0, 1, 2].map(() => stage.puppet(place)))
    const one = await stage.puppet(place, { mailbox: { limit: 1, overflow } })
    await one.do('trapExit', true)
    for (const other of others) {
      await one.do('monitor', other.pid)
      await one.linkTo(other)
    }
    one.tell('hold', stage.self.pid)
    const from = await stage.called()
    stage.self.send(one.pid, 'fills it')
    for (const other of others) other.tell('exitWith', 'bye')
    await eventually(async () => (await stage.system.info(one.pid))?.messageQueueLength === 7)
    await flood(stage, one, 5)
    stage.self.reply(from, 'go on')
    const types: string[] = []
    for (let i = 0; i < 7; i++) {
      const message = await stage.heardBy(one)
      types.push(typeof message === 'object' ? (message as { type: string }).type : 'plain')
    }
    assert.equal(types.sort(), ['DOWN', 'DOWN', 'DOWN', 'EXIT', 'EXIT', 'EXIT', 'plain'])
  })
}

each(
  'a server drops casts and refuses calls beyond its limit, and its own calls are answered',
  async (stage, place) => {
    const mailbox = { limit: 3, overflow: 'drop-newest' } as const
    const desk = await stage.start(place, Desk, { boss: stage.self.pid }, { mailbox })
    const asking = desk.ask()
    const from = await stage.called()
    for (let i = 0; i < 10; i++) desk.cast.add(i)
    await assert.rejects(desk.log(), 'MAILBOX_FULL', /Desk/)
    stage.self.reply(from, 'the answer came through')
    assert.is(await asking, 'the answer came through')
    await eventually(async () => (await stage.system.info(desk.pid))?.messageQueueLength === 0)
    assert.equal(await desk.log(), [0, 1, 2])
  },
)

each('a selective receive still finds its message after others were dropped', async (stage, place) => {
  const one = await stage.puppet(place, { mailbox: { limit: 2, overflow: 'drop-oldest' } })
  const asking = one.do('call', stage.self.pid, 'what now?', { timeout: Number.POSITIVE_INFINITY })
  const from = await stage.called()
  assert.is(await flood(stage, one, 5), 2)
  stage.self.reply(from, 'go on')
  await asking
  assert.equal([await stage.heardBy(one), await stage.heardBy(one)], [3, 4])
})

test('dropped messages are told on the deadLetter channel', async (stage) => {
  const { one, go } = await held(stage, 'same thread', { limit: 1, overflow: 'drop-oldest' })
  const letters: unknown[] = []
  const listen = (letter: unknown) => letters.push((letter as { message: unknown }).message)
  subscribe('beamline:deadLetter', listen)
  await flood(stage, one, 3)
  unsubscribe('beamline:deadLetter', listen)
  assert.equal(letters, [0, 1])
  go()
  assert.is(await stage.heardBy(one), 2)
})

test('a limit that is none is refused', async ({ self }) => {
  for (const mailbox of [
    { limit: 0, overflow: 'exit' },
    { limit: 1.5, overflow: 'exit' },
    { limit: 3 },
    { limit: '3', overflow: 'exit' },
    { limit: 3, overflow: 'drop' },
  ]) {
    await assert.rejects(
      self.spawn(() => {}, undefined, { mailbox: mailbox as never }),
      'INVALID_TYPE',
      /limit/,
    )
  }
})

test('without a limit a mailbox takes what comes', async (stage) => {
  const one = await stage.puppet('same thread')
  one.tell('hold', stage.self.pid)
  const from = await stage.called()
  assert.is(await flood(stage, one, 50_000), 50_000)
  stage.self.reply(from, 'go on')
  for (let i = 0; i < 50_000; i++) assert.is(await stage.heardBy(one), i)
})

run()
