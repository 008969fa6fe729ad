import type { Command, State, Value, Variable } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { BridgeServer } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { PlainClient, PlainSession } from '../support/plain-client.js'
import type { RawStream } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: limits', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

type Op = NonNullable<Command['op']>

const number = (value: number): Value => ({ kind: { $case: 'number', value } })
const define = (name: string): Op => ({
  $case: 'define',
  value: {
    name,
    type: 'integer',
    initial: number(0),
    constraintsJson: '',
    description: undefined,
    metadataJson: '',
  },
})
const join = (state: State): Op => ({ $case: 'join', value: { state, create: true, metadata: {} } })

const codeOf = async (stream: RawStream, id: number) => {
  const { outcome } = await stream.reply(id)
  return outcome?.$case === 'failure' ? outcome.value.code : outcome?.$case
}

const variable = (about: Partial<Variable> = {}): Variable => ({
  number: 1,
  id: 'x-1',
  name: 'x',
  type: 'integer',
  base: 'integer',
  value: number(5),
  version: 0,
  revision: 1,
  constraintsJson: '{"max": 10}',
  description: undefined,
  metadataJson: '',
  createdAt: 1,
  updatedAt: 1,
  ...about,
})

const stateOf = (about: Partial<State> = {}, ...variables: Partial<Variable>[]): State => ({
  incarnation: '',
  revision: 7,
  variables: variables.map((one) => ({ variable: variable(one), history: [], lease: undefined })),
  ...about,
})

test('a session has no more variables than allowed, by whichever way they come', async () => {
  await using server = await StreamServer.start(system(), { limits: { maxVariables: 2 } })
  await server.session('s')
  const stream = await server.stream()
  const ids = ['a', 'b', 'c'].map((name) => stream.command('s', define(name)))
  const codes = await Promise.all(ids.map((id) => codeOf(stream, id)))
  assert.equal(codes, ['variables', 'variables', 'EXHAUSTED'])
  assert.is(await codeOf(stream, stream.command('s', define('a'))), 'ALREADY_EXISTS')
  assert.is(await codeOf(stream, stream.command('s', { $case: 'delete', value: { name: 'a' } })), 'done')
  assert.is(await codeOf(stream, stream.command('s', define('c'))), 'variables')
  const three = range(1, 3).map((at) => ({ number: at, name: `v${at}` }))
  assert.is(await codeOf(stream, stream.command('t', join(stateOf({}, ...three)))), 'EXHAUSTED')
})

test('who registers variables by the compatible service has no more, either', async () => {
  const server = await BridgeServer.start(system(), { address: '127.0.0.1:0', limits: { maxVariables: 1 } })
  const client = new PlainClient(server.address)
  const session = await PlainSession.open(client, 's')
  await session.register('a', 'integer', 1)
  await session.register('b', 'integer', 1).then(
    () => assert.unreachable(),
    (error: Error) => assert.match(error.message, 'RESOURCE_EXHAUSTED'),
  )
  client[Symbol.dispose]()
  await server.stop()
})

const lease = { holder: 'me', token: 1, since: 1, released: false }

const bad: readonly (readonly [string, State])[] = [
  ['an incarnation that is no hex', stateOf({ incarnation: 'zz' })],
  ['a revision that cannot be counted on', stateOf({ revision: 2 ** 52 })],
  ['a type that is none', stateOf({}, { base: 'nothing' })],
  ['a name twice', stateOf({}, { number: 1 }, { number: 2 })],
  ['a number twice', stateOf({}, { name: 'x' }, { name: 'y' })],
  ['no name', stateOf({}, { name: '' })],
  ['a name that objects lose', stateOf({}, { name: '__proto__' })],
  ['a value of another type', stateOf({}, { value: { kind: { $case: 'text', value: 'x' } } })],
  ['a value that its constraints refuse', stateOf({}, { value: number(11) })],
  ['constraints that are none', stateOf({}, { constraintsJson: '{"max": "much"}' })],
  ['a variable whose revision cannot be counted on', stateOf({}, { revision: 2 ** 52 })],
  [
    'a lease that cannot be counted on',
    { ...stateOf(), variables: [{ variable: variable(), history: [], lease: { ...lease, token: 3e9 } }] },
  ],
  ['a time that is none', stateOf({}, { createdAt: Number.NaN })],
]

for (const [what, state] of bad)
  test(`a session does not begin with a state that has ${what}`, async () => {
    await using server = await StreamServer.start(system())
    const stream = await server.stream()
    assert.is(await codeOf(stream, stream.command('s', join(state))), 'INVALID_TYPE')
    const right = stateOf({ incarnation: 'ab'.repeat(16) }, {})
    assert.is(await codeOf(stream, stream.command('s', join(right))), 'joined')
  })

test('a client that takes none of what it asks for is forgotten, though nothing more is read from it', async () => {
  await using server = await StreamServer.start(system())
  const ctx = await server.session('s')
  await ctx.define('x', 'string', 'x'.repeat(4000))
  const stream = await server.stream({ heartbeatMs: 60 })
  const watch = stream.create(1, 's')
  await stream.when(() => watch.snapshots === 1)
  stream.call.pause()
  for (const _ of range(1, 20_000)) stream.command('s', { $case: 'get', value: { names: ['x'] } })
  await eventually(() => assert.is(server.stats['watches'], 0), { timeout: 20_000 })
})

test('a session that is watched, or written to by the host, is in use', async () => {
  await using server = await StreamServer.start(system(), { ttlMs: 40 })
  const ctx = await server.session('s')
  await ctx.define('x', 'integer', 0)
  const stream = await server.stream()
  const watch = stream.create(1, 's')
  await stream.when(() => watch.snapshots === 1)
  const before = server.sessions.touches
  await eventually(() => assert.ok(server.sessions.touches > before + 2))
  stream.send({ $case: 'cancel', value: { watchId: 1 } })
  await stream.when(() => watch.canceled !== undefined)
  const unwatched = server.sessions.touches
  await eventually(async () => {
    await ctx.set('x', 1)
    assert.ok(server.sessions.touches > unwatched + 2)
  })
})

test.run()
