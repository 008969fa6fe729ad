import type { DeadLetter } from '../../src/index.js'
import { Desk } from '../fixtures/desk.js'
import { assert, eventually } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, each, run } = stages('dead letters and lost answers')

each('K8 a listener hears the dead letters of every thread', async (stage, place) => {
  const dead = await stage.dead(place)
  const letters: DeadLetter[] = []
  const off = stage.system.on('deadLetter', (letter) => letters.push(letter))
  const senders = [stage.self, await stage.puppet('same thread'), await stage.puppet('scheduler thread')]
  senders.push(await stage.puppet('isolated'))
  const { deadLetters } = stage.system.stats()
  for (const [i, sender] of senders.entries()) {
    if ('send' in sender) sender.send(dead, { from: i })
    else await sender.do('send', dead, { from: i })
  }
  await eventually(() => letters.length === senders.length)
  const found = letters.map(({ message }) => (message as { from: number }).from)
  assert.equal(found.sort(), [0, 1, 2, 3])
  assert.ok(letters.every(({ to }) => dead.equals(to)))
  assert.is(stage.system.stats().deadLetters, deadLetters + senders.length)
  off()
  off()
  stage.self.send(dead, 'unheard')
  await eventually(() => stage.system.stats().deadLetters === deadLetters + senders.length + 1)
  assert.is(letters.length, senders.length)
})

each('K8 a listener on another thread hears the dead letters of all', async (stage, place) => {
  const dead = await stage.dead('scheduler thread')
  const listener = await stage.puppet(place)
  await listener.do('listenFor', stage.self.pid)
  stage.self.send(dead, { list: [1] })
  const isLost = (message: unknown): message is { lost: unknown } => 'lost' in (message as object)
  assert.equal((await stage.self.receive(isLost)).lost, { list: [1] })
  assert.equal(await listener.do('stats'), stage.system.stats())
})

test('K8 a thread that listened and died is told no more', async (stage) => {
  const dead = await stage.dead()
  const listener = await stage.puppet('isolated', { monitor: true })
  await listener.do('listenFor', stage.self.pid)
  stage.self.exit(listener.pid, 'kill')
  await stage.reasonOf(listener.pid)
  const { deadLetters } = stage.system.stats()
  for (let i = 0; i < 100; i++) stage.self.send(dead, i)
  assert.is(stage.system.stats().deadLetters, deadLetters + 100)
})

test('K8 what a listener throws is warned of, and the others hear', async (stage) => {
  const dead = await stage.dead()
  const warned = new Promise((resolve) => process.once('warning', resolve))
  const deaf = stage.system.on('deadLetter', () => {
    throw new Error('deaf')
  })
  const heard = new Promise<DeadLetter>((resolve) => {
    const off = stage.system.on('deadLetter', (letter) => {
      off()
      resolve(letter)
    })
  })
  stage.self.send(dead, 'lost')
  assert.match(String(await warned), /deaf/)
  assert.is((await heard).message, 'lost')
  deaf()
})

test('K8 what is no event and no listener is refused', async (stage) => {
  assert.throwsCode(() => stage.system.on('deadletter' as never, () => {}), 'INVALID_TYPE')
  assert.throwsCode(() => stage.system.on('deadLetter', undefined as never), 'INVALID_TYPE')
})

each('K7 second and late answers are dropped and counted', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const { droppedReplies } = stage.system.stats()
  assert.is(await desk.answersTwice(), 'the first')
  await desk.log()
  await eventually(() => stage.system.stats().droppedReplies === droppedReplies + 1)
  await assert.rejects(stage.self.call(desk.pid, { method: 'ask', args: [] }, { timeout: 1 }), 'CALL_TIMEOUT')
  stage.self.reply(await stage.called(), 'yes')
  await desk.log()
  await eventually(() => stage.system.stats().droppedReplies === droppedReplies + 2)
  const messages = (await stage.rest()) as { event?: string }[]
  assert.ok(messages.every(({ event }) => event === 'init'))
})

test('stats count the processes of all threads', async (stage) => {
  const { processes } = stage.system.stats()
  assert.is(processes, stage.system.processes().length)
  await stage.puppet('scheduler thread')
  assert.is(stage.system.stats().processes, processes + 1)
})

run()
