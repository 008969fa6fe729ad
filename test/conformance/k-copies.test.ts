import { MessageChannel } from 'node:worker_threads'
import { BeamlineError } from '../../src/errors.js'
import type { Pid } from '../../src/threads/pid.js'
import { Desk } from '../fixtures/desk.js'
import { errorOf } from '../fixtures/puppet.js'
import { assert } from '../harness.js'
import { type Stage, stages } from '../support/stage.js'

const { test, each, run } = stages('isolation of processes')

each('K4 what the sender changes after send is not seen', async (stage, place) => {
  const other = await stage.puppet(place)
  const message = { list: [1], inner: { n: 1 }, map: new Map([['a', 1]]), bytes: new Uint8Array([1]) }
  stage.self.send(other.pid, message)
  message.list.push(2)
  message.inner.n = 2
  message.map.set('a', 2)
  message.bytes[0] = 2
  const expected = { list: [1], inner: { n: 1 }, map: new Map([['a', 1]]), bytes: new Uint8Array([1]) }
  assert.equal(await stage.heardBy(other), expected)
})

each('K4 what the receiver changes is not seen by the sender, nor by other receivers', async (stage, place) => {
  const others = [await stage.puppet(place), await stage.puppet(place)]
  const message = { list: [1] }
  for (const other of others) stage.self.send(other.pid, message)
  const [first, second] = [await stage.heardBy(others[0] as never), await stage.heardBy(others[1] as never)]
  ;(first as { list: number[] }).list.push(2)
  assert.equal(second, { list: [1] })
  assert.equal(message, { list: [1] })
})

each('K4 a message for a thread that is not connected yet is a copy too', async (stage, place) => {
  for (let round = 0; round < 3; round++) {
    const sender = await stage.puppet(place)
    const receiver = await stage.puppet('isolated')
    await sender.do('sendAndChange', receiver.pid)
    assert.equal(await stage.heardBy(receiver), { text: 'as sent', list: [] })
    assert.equal(await stage.heardBy(receiver), { moved: 8 })
  }
})

each('K4 calls and their answers are copies', async (stage, place) => {
  const desk = await stage.start(place, Desk, { boss: stage.self.pid })
  const item = { list: [1] }
  const added = desk.add(item)
  item.list.push(2)
  await added
  const [first, second] = [await desk.log(), await desk.log()]
  assert.equal(first, [{ list: [1] }])
  first.push('mine')
  assert.equal(second, [{ list: [1] }])
  assert.equal(await desk.log(), [{ list: [1] }])
})

each('K4 exit reasons are copies, one for each who hears of the death', async (stage, place) => {
  stage.self.trapExit = true
  const dying = await stage.puppet(place, { link: true, monitor: true })
  stage.self.monitor(dying.pid)
  const reason = { why: [1] }
  stage.self.exit(dying.pid, reason)
  reason.why.push(2)
  for (let i = 0; i < 3; i++) {
    const death = await stage.hear<{ reason: { why: number[] } }>()
    assert.equal(death.reason, { why: [1] })
    death.reason.why.push(3)
  }
})

each('what cannot be sent is refused at the sender, with its path, and nothing is sent', async (stage, place) => {
  const other = await stage.puppet(place)
  const bad = { jobs: [{ name: 'a' }, { name: 'b', run() {} }] }
  for (const attempt of [
    () => stage.self.send(other.pid, bad),
    () => stage.self.cast(other.pid, bad),
    () => stage.self.exit(other.pid, bad),
    () => stage.self.sendAfter(other.pid, bad, 5),
  ]) {
    const { details, message } = assert.throwsCode(attempt, 'NOT_CLONEABLE', /jobs\[1\]\.run is a function/)
    assert.is(details['path'], 'jobs[1].run')
    assert.match(message, /send plain data/)
  }
  await assert.rejects(stage.self.call(other.pid, bad), 'NOT_CLONEABLE', /jobs\[1\]\.run/)
  stage.self.send(other.pid, 'only this')
  assert.is(await stage.heardBy(other), 'only this')
})

each('what only cloning finds out is refused too', async (stage, place) => {
  const other = await stage.puppet(place)
  const detached = new ArrayBuffer(8)
  structuredClone(detached, { transfer: [detached] })
  const { port1, port2 } = new MessageChannel()
  for (const bad of [detached, { port: port1 }, [new WeakMap()]]) {
    assert.throwsCode(() => stage.self.send(other.pid, bad), 'NOT_CLONEABLE')
  }
  port2.close()
  stage.self.send(other.pid, 'only this')
  assert.is(await stage.heardBy(other), 'only this')
})

each('a buffer that is transferred is moved, whatever thread it goes to', async (stage, place) => {
  const other = await stage.puppet(place)
  const buffer = new ArrayBuffer(1024)
  new Uint8Array(buffer).fill(7)
  stage.self.send(other.pid, { buffer, by: stage.self.pid }, { transfer: [buffer] })
  assert.is(buffer.byteLength, 0)
  const { buffer: arrived, by } = (await stage.heardBy(other)) as { buffer: ArrayBuffer; by: Pid }
  assert.is(arrived.byteLength, 1024)
  assert.is(new Uint8Array(arrived)[1023], 7)
  assert.ok(by.equals(stage.self.pid))
})

each('a message port that is transferred works where it arrives', async (stage, place) => {
  const other = await stage.puppet(place)
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise((resolve) => port1.once('message', resolve))
  stage.self.send(other.pid, { told: { move: 'postOn', args: [port2, 'through the port'] } }, { transfer: [port2] })
  assert.is(await answer, 'through the port')
  port1.close()
})

each('a transfer that cannot be made is refused, and nothing is sent', async (stage, place) => {
  const other = await stage.puppet(place)
  const buffer = new ArrayBuffer(8)
  for (const transfer of [[buffer, buffer], [{} as ArrayBuffer]]) {
    assert.throwsCode(() => stage.self.send(other.pid, { buffer }, { transfer }), 'NOT_CLONEABLE')
  }
  assert.is(buffer.byteLength, 8)
  stage.self.send(other.pid, 'only this')
  assert.is(await stage.heardBy(other), 'only this')
})

each('shared memory is shared, on purpose', async (stage, place) => {
  const other = await stage.puppet(place)
  const words = new Int32Array(new SharedArrayBuffer(4))
  other.tell('spin', stage.self.pid, words.fill(1))
  assert.is(await stage.hear(), 'spinning')
  assert.is(await stage.hear(), 'done spinning')
})

each('errors, pids and references arrive as what they are', async (stage, place) => {
  const other = await stage.puppet(place)
  const ref = stage.self.ref()
  const cause = new BeamlineError('CONSTRAINT', 'too hot', { details: { who: other.pid, list: [ref] } })
  const sent = { map: new Map([[ref.toString(), other.pid]]), error: new RangeError('too far', { cause }) }
  stage.self.send(other.pid, sent)
  const { map, error } = (await stage.heardBy(other)) as typeof sent
  assert.ok(map.get(ref.toString())?.equals(other.pid))
  assert.instance(error, RangeError)
  const inner = error.cause as BeamlineError
  assert.is(inner.code, 'CONSTRAINT')
  assert.ok((inner.details['who'] as Pid).equals(other.pid))
  assert.ok((inner.details['list'] as unknown[]).some((one) => ref.equals(one)))
})

test('refusals of another thread arrive with their code, message and stack', async (stage: Stage) => {
  const other = await stage.puppet('scheduler thread')
  const refused = errorOf(await other.do('try', { move: 'send', args: ['nobody', 1] }))
  assert.is(refused.code, 'NOPROC')
  assert.match(refused.message, /'nobody'/)
  assert.match(String(refused.stack), /puppet/)
})

run()
