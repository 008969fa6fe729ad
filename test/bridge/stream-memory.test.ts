import { Metadata, status } from '@grpc/grpc-js'
import { ClientMemories } from '../../src/bridge/server/client-memories.js'
import type { Answer, ClientMemory } from '../../src/bridge/server/client-memory.js'
import { BeamlineError } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { StreamServer } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: what is remembered of clients')
const system = systemFor(test, { threads: 1 })

const said = (token: string): Metadata => {
  const metadata = new Metadata()
  metadata.set('authorization', token)
  return metadata
}

test('what one caller was answered no other is told, nor is its stream ended, whoever it says to be', async () => {
  const callerOf = (metadata: Metadata) => ({ key: String(metadata.get('authorization')[0]), require: () => {} })
  await using server = await StreamServer.start(system(), { callerOf })
  const ctx = await server.session('s')
  await ctx.define('x', 'integer', 0)
  const same = { clientId: 'c', clientInstance: '1' }
  const [owner, other] = [server.silent({}, said('owner')), server.silent({}, said('other'))]
  owner.hello(same)
  await owner.until('welcome')
  const id = owner.set('s', 'x', 5)
  assert.is((await owner.reply(id)).outcome?.$case, 'written')
  other.hello(same)
  await other.until('welcome')
  const { outcome } = await other.reply(other.command('s', { $case: 'get', value: { names: ['x'] } }, id))
  assert.is(outcome?.$case, 'variables', 'it had the answer of another')
  await owner.sync('s')
  assert.is(owner.ended, undefined)
})

test('an answer is not given again to a caller who has lost the permission', async () => {
  let isAllowed = true
  const require = () => {
    if (!isAllowed) throw new BeamlineError('PERMISSION_DENIED', 'no longer')
  }
  await using server = await StreamServer.start(system(), { caller: { key: 'one', require } })
  const ctx = await server.session('s')
  await ctx.define('x', 'integer', 7)
  const same = { clientInstance: '1' }
  const first = await server.stream(same)
  const get = { $case: 'get' as const, value: { names: ['x'] } }
  const id = first.command('s', get)
  assert.is((await first.reply(id)).outcome?.$case, 'variables')
  isAllowed = false
  const second = await server.stream(same)
  const { outcome } = await second.reply(second.command('s', get, id))
  assert.is(outcome?.$case === 'failure' && outcome.value.code, 'PERMISSION_DENIED')
})

/** A clock that the test moves on. */
class HandClock {
  time = 0
  readonly timers = new Set<{ readonly at: number; readonly callback: () => void }>()

  now = () => this.time

  setTimeout = (callback: () => void, ms: number) => {
    const timer = { at: this.time + ms, callback }
    this.timers.add(timer)
    return timer
  }

  clearTimeout = (timer: unknown) => void this.timers.delete(timer as never)

  advance(ms: number): void {
    this.time += ms
    for (const timer of [...this.timers]) if (timer.at <= this.time && this.timers.delete(timer)) timer.callback()
  }
}

const answerOf = (bytes: number): Answer => ({ session: 's', revision: 0, item: new Uint8Array(bytes) })
const nobody = { answer: () => {} }

/** A client that was answered so much, and has gone. */
function visit(all: ClientMemories, client: string, bytes: number): ClientMemory {
  const memory = all.of('', client, '1')
  assert.is(memory.receive(1, nobody), 'new')
  memory.done(1, answerOf(bytes))
  return memory
}

test('all clients share one budget: whoever went first is forgotten first, and its commands are never done again', () => {
  const all = new ClientMemories(new HandClock(), 1_000_000)
  for (const client of ['a', 'b', 'c']) all.left(visit(all, client, 300_000))
  assert.is(all.count, 3)
  const d = visit(all, 'd', 300_000)
  assert.equal([all.count, all.bytes < 1_000_000], [3, true])
  assert.is(all.of('', 'a', '1').receive(1, nobody), 'forgotten')
  assert.is(all.of('', 'b', '1').receive(1, nobody), 'known')
  assert.is(d.receive(1, nobody), 'known')
  all.close()
})

test('nobody is let go of who is there: then there is no room for more answers, but for a little of each', () => {
  const all = new ClientMemories(new HandClock(), 1_000_000)
  const [great, little] = [visit(all, 'great', 1_100_000), visit(all, 'little', 10)]
  assert.equal([great.receive(2, nobody), little.receive(2, nobody)], ['full', 'new'])
  great.acknowledge(1)
  assert.is(great.receive(2, nobody), 'new')
  all.close()
})

test('who does not come back is forgotten in time, and no timer runs when nobody is away', () => {
  const clock = new HandClock()
  const all = new ClientMemories(clock)
  all.left(visit(all, 'a', 100))
  all.left(visit(all, 'b', 100))
  for (const _ of range(1, 3)) clock.advance(5 * 60_000)
  assert.equal([all.count, all.bytes, clock.timers.size], [0, 0, 0])
  all.left(visit(all, 'c', 100))
  assert.is(clock.timers.size, 1)
  all.of('', 'c', '1')
  assert.is(clock.timers.size, 0)
})

test('a client may not call itself whatever it likes: so much would have to be remembered', async () => {
  await using server = await StreamServer.start(system())
  const stream = server.silent()
  stream.hello({ clientId: 'x'.repeat(1025) })
  const how = await stream.end()
  assert.is(how !== 'ok' && how.code, status.INVALID_ARGUMENT)
})

test('however often a client asks how far a watch is, the session is asked once at a time', async () => {
  await using server = await StreamServer.start(system())
  const ctx = await server.session('s')
  await ctx.define('x', 'integer', 0)
  const stream = await server.stream()
  const watch = stream.create(1, 's')
  await stream.when(() => watch.snapshots === 1)
  const { context } = await server.sessions.get('s')
  let asked = 0
  const ask = context.getMany.bind(context)
  context.getMany = ((names: never[]) => {
    asked++
    return ask(names)
  }) as typeof context.getMany
  const progress = { $case: 'progress' as const, value: { watchId: 1, atLeast: 0 } }
  stream.send(...range(1, 100_000).map(() => progress))
  await stream.fence(1)
  await stream.sync('s')
  assert.ok(asked <= 4, `it was asked ${asked} times`)
  stream.call.end()
  await eventually(() => assert.is(stream.ended, 'ok'))
  assert.equal(stream.faults, [])
})

test.run()
