import { type ErrorReason, Exit, type ExitReason } from '../../src/actors/exit-reason.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert, eventually } from '../harness.js'
import { type Place, type Puppet, type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('exit reasons')

/** What the monitor and the trapped link of a process say when it makes this last move. */
async function reasons(stage: Stage, place: Place, move: string, ...args: unknown[]): Promise<unknown[]> {
  stage.self.trapExit = true
  const dying = await stage.puppet(place, { link: true, monitor: true })
  dying.tell(move, ...args)
  return deaths(stage, dying)
}

/** The reasons in the EXIT and the DOWN of a process. */
async function deaths(stage: Stage, { pid }: Puppet): Promise<unknown[]> {
  const both = [await stage.hear(), await stage.hear()] as { type: string; pid: Pid; reason: unknown }[]
  for (const death of both) assert.ok(pid.equals(death.pid))
  assert.equal(both.map(({ type }) => type).sort(), ['DOWN', 'EXIT'])
  return both.map(({ reason }) => reason)
}

each('B1 a function that returns exits normal', async (stage, place) => {
  assert.equal(await reasons(stage, place, 'leave'), ['normal', 'normal'])
})

const someTerms: ExitReason[] = [
  'why',
  '',
  0,
  -1.5,
  true,
  null,
  undefined,
  { shutdown: { code: 1 } },
  { a: [1, { b: new Map([['c', 2n]]) }] },
  ['tuple', 1],
]

each('B2 Exit ends a process with any reason, unchanged', async (stage, place) => {
  for (const term of someTerms) assert.equal(await reasons(stage, place, 'exitWith', term), [term, term])
  const [reason] = await reasons(stage, place, 'exitWith', { culprit: stage.self.pid })
  assert.ok((reason as { culprit: Pid }).culprit.equals(stage.self.pid))
})

each('B3 an error becomes a reason with name, message, stack, code and cause', async (stage, place) => {
  const cause = { inner: [1] }
  for (const [reason] of [
    await reasons(stage, place, 'raise', 'RangeError', 'too far', { code: 'E_FAR', cause }),
    await reasons(stage, place, 'rejectWith', 'RangeError', 'too far', { code: 'E_FAR', cause }),
  ]) {
    const { error } = reason as { error: Record<string, unknown> }
    assert.match(String(error['stack']), /puppet/)
    assert.equal({ ...error, stack: '' }, { name: 'RangeError', message: 'too far', stack: '', code: 'E_FAR', cause })
  }
})

each('B4 what is thrown and is no error is described, and kept', async (stage, place) => {
  for (const value of ['text', 42, null, undefined, { a: [1] }]) {
    const [reason, same] = await reasons(stage, place, 'throwThis', value)
    const { error } = reason as { error: Record<string, unknown> }
    assert.is(error['name'], 'NonError')
    assert.equal(error['value'], value)
    assert.equal(same, reason)
  }
})

each('B4 what is thrown and cannot be sent is described', async (stage, place) => {
  for (const what of ['function', 'symbol', 'promise', 'odd object']) {
    const [reason, same] = await reasons(stage, place, 'throwUnclonable', what)
    const { error } = reason as { error: Record<string, unknown> }
    assert.is(error['name'], 'NonError')
    assert.type(error['value'], 'string')
    assert.equal(same, reason)
  }
})

each(
  'B2 an exit reason or cause that cannot be sent is described, and everyone hears of the death',
  async (stage, place) => {
    for (const what of ['exit with a function', 'exit with a part that is a function', 'cause is a function']) {
      const [reason, same] = await reasons(stage, place, 'throwUnclonable', what)
      if (what === 'cause is a function') assert.type((reason as ErrorReason).error.cause, 'string')
      else assert.match(reason as string, /Function/)
      assert.equal(same, reason)
    }
  },
)

each('B5 the normal exit of a linked process ends nobody', async (stage, place) => {
  const peer = await stage.puppet(place)
  const other = await stage.puppet(place)
  await other.linkTo(peer)
  peer.tell('exitWith', 'normal')
  await eventually(() => !stage.system.isAlive(peer.pid))
  await other.do('send', peer.pid, 'behind the exit signal')
  stage.self.send(other.pid, 'still there')
  assert.is(await stage.heardBy(other), 'still there')
})

/** Whether a process that traps no exits dies of a linked one's, for the same reason. */
async function diesOf(stage: Stage, place: Place, reason: unknown): Promise<void> {
  const peer = await stage.puppet(place)
  const other = await stage.puppet('scheduler thread', { thread: 1, monitor: true })
  await other.linkTo(peer)
  peer.tell('exitWith', reason)
  assert.equal(await stage.reasonOf(other.pid), reason)
}

each(
  'B6 any other exit of a linked process ends one that does not trap, with the same reason',
  async (stage, place) => {
    const error = { error: { name: 'E', message: 'm', stack: '' } }
    for (const reason of ['boom', 'killed', error]) await diesOf(stage, place, reason)
  },
)

each('B7 shutdown is no exception', async (stage, place) => {
  for (const reason of ['shutdown', { shutdown: 1 }]) await diesOf(stage, place, reason)
})

each('B8 a process that traps exits gets EXIT for every linked exit, normal included', async (stage, place) => {
  for (const reason of [
    'normal',
    'boom',
    'shutdown',
    'kill',
    'killed',
    { error: { name: 'E', message: 'm', stack: '' } },
  ]) {
    const peer = await stage.puppet(place)
    const other = await stage.puppet(place)
    await other.do('trapExit', true)
    await other.linkTo(peer)
    peer.tell('exitWith', reason)
    assert.equal(await stage.heardBy(other), { type: 'EXIT', pid: peer.pid, reason })
  }
})

each('B9 exit(pid, normal) is ignored by a process that does not trap exits', async (stage, place) => {
  const other = await stage.puppet(place)
  stage.self.exit(other.pid, 'normal')
  stage.self.send(other.pid, 'still there')
  assert.is(await stage.heardBy(other), 'still there')
})

each('B10 exit(pid, normal) is a message for a process that traps exits', async (stage, place) => {
  const other = await stage.puppet(place)
  await other.do('trapExit', true)
  stage.self.exit(other.pid, 'normal')
  assert.equal(await stage.heardBy(other), { type: 'EXIT', pid: stage.self.pid, reason: 'normal' })
})

each('B11 exit(self.pid, normal) ends the process that sends it', async (stage, place) => {
  const one = await stage.puppet(place, { monitor: true })
  one.tell('exit', one.pid, 'normal')
  assert.is(await stage.reasonOf(one.pid), 'normal')
})

each('B11b exit(self.pid, normal) is a message when the process traps exits', async (stage, place) => {
  const one = await stage.puppet(place)
  await one.do('trapExit', true)
  one.tell('exit', one.pid, 'normal')
  assert.equal(await stage.heardBy(one), { type: 'EXIT', pid: one.pid, reason: 'normal' })
})

each('B12 kill ends a process that traps exits, and its monitor sees killed', async (stage, place) => {
  const victim = await stage.puppet(place, { monitor: true })
  await victim.do('trapExit', true)
  stage.self.exit(victim.pid, 'kill')
  assert.is(await stage.reasonOf(victim.pid), 'killed')
})

each('B13 a linked peer of a killed process that traps exits gets EXIT with killed', async (stage, place) => {
  const [victim, peer] = [await stage.puppet(place), await stage.puppet(place)]
  await peer.do('trapExit', true)
  await peer.linkTo(victim)
  stage.self.exit(victim.pid, 'kill')
  assert.equal(await stage.heardBy(peer), { type: 'EXIT', pid: victim.pid, reason: 'killed' })
})

each('B13b a linked peer of a killed process that does not trap exits dies with killed', async (stage, place) => {
  const [victim, peer] = [await stage.puppet(place), await stage.puppet(place, { monitor: true })]
  await peer.linkTo(victim)
  stage.self.exit(victim.pid, 'kill')
  assert.is(await stage.reasonOf(peer.pid), 'killed')
})

each('B14 Exit(kill) is an ordinary reason, which a peer can trap', async (stage, place) => {
  assert.equal(await reasons(stage, place, 'exitWith', 'kill'), ['kill', 'kill'])
})

each('B14b a linked peer of an Exit(kill) that does not trap exits dies with kill', async (stage, place) => {
  const [peer, plain] = [await stage.puppet(place), await stage.puppet(place, { monitor: true })]
  await plain.linkTo(peer)
  peer.tell('exitWith', 'kill')
  assert.is(await stage.reasonOf(plain.pid), 'kill')
})

each(
  'B15 a process in an endless loop is killed',
  async (stage, place) => {
    const spinning = await stage.puppet(place, { monitor: true })
    spinning.tell('all', [
      { move: 'send', args: [stage.self.pid, 'spinning'] },
      { move: 'hang', args: [] },
    ])
    assert.is(await stage.hear(), 'spinning')
    stage.self.exit(spinning.pid, 'kill')
    assert.is(await stage.reasonOf(spinning.pid), 'killed')
  },
  ['isolated'],
)

each('B17 once its DOWN was seen a process is not alive, on any thread', async (stage, place) => {
  const witness = await stage.puppet('scheduler thread')
  for (let round = 0; round < 10; round++) {
    const dying = await stage.puppet(place, { monitor: true })
    assert.is(stage.system.isAlive(dying.pid), true)
    dying.tell('exitWith', 'bye')
    await stage.reasonOf(dying.pid)
    assert.is(stage.system.isAlive(dying.pid), false)
    assert.is(await witness.do('sees', dying.pid), false)
    assert.is(await stage.system.info(dying.pid), undefined)
  }
})

each('B18 whether exits are trapped counts when the signal arrives', async (stage, place) => {
  const other = await stage.puppet(place, { monitor: true })
  await other.do('trapExit', true)
  stage.self.exit(other.pid, 'soft')
  assert.equal(await stage.heardBy(other), { type: 'EXIT', pid: stage.self.pid, reason: 'soft' })
  await other.do('trapExit', false)
  stage.self.exit(other.pid, 'hard')
  assert.is(await stage.reasonOf(other.pid), 'hard')
})

test('the signal of a process aborts with its exit reason, and is aborted when asked for later', async (stage) => {
  let late: AbortSignal | undefined
  const seen = new Promise((resolve) => {
    void stage.self.spawn(async (self) => {
      self.signal.addEventListener('abort', () => {
        late = self.signal
        resolve(self.signal.reason)
      })
      throw new Exit('stopped')
    })
  })
  assert.is(await seen, 'stopped')
  assert.is(late?.aborted, true)
})

run()
