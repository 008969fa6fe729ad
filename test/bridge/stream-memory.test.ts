import { Metadata } from '@grpc/grpc-js'
import { BeamlineError } from '../../src/index.js'
import { assert, suite } from '../harness.js'
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

test.run()
