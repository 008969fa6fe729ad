import type { Command, Reply, Value } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { BeamlineError } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { plain, type RawStream, setOf } from '../support/raw-stream.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('the native stream: commands')
const system = systemFor(test, { threads: 1 })

const withServer = (body: (server: StreamServer) => Promise<void>, options?: StreamServerOptions) => async () => {
  await using server = await StreamServer.start(system(), options)
  await body(server)
}

type Op = NonNullable<Command['op']>

const number = (value: number): Value => ({ kind: { $case: 'number', value } })
const join = (create = true): Op => ({ $case: 'join', value: { state: undefined, create, metadata: {} } })
const define = (name: string, initial = 0, type = 'integer'): Op => ({
  $case: 'define',
  value: { name, type, initial: number(initial), constraintsJson: '', description: undefined, metadataJson: '' },
})

const outcome = async (stream: RawStream, id: number) => (await stream.reply(id)).outcome
const failure = async (stream: RawStream, id: number) => {
  const found = await outcome(stream, id)
  return found?.$case === 'failure' ? found.value : undefined
}

test(
  'a session is made, defined, written and read in one go, none awaited, in the order of arrival',
  withServer(async (server) => {
    const stream = await server.stream()
    const ids = [
      stream.command('s', join()),
      stream.command('s', define('x', 1)),
      stream.command('s', define('y', 2)),
      stream.set('s', 'x', 5),
      stream.command('s', {
        $case: 'setMany',
        value: {
          writes: [
            { name: 'x', value: number(6), metadataJson: '{"unit":"m"}', expectedVersion: undefined },
            { name: 'y', value: number(7), metadataJson: '', expectedVersion: 0 },
          ],
          atomic: true,
        },
      }),
      stream.command('s', { $case: 'get', value: { names: ['y', 'x', 'y'] } }),
      stream.command('s', { $case: 'rollback', value: { name: 'x', version: 1 } }),
      stream.command('s', { $case: 'history', value: { name: 'x', limit: 2 } }),
      stream.command('s', { $case: 'delete', value: { name: 'y' } }),
      stream.command('s', { $case: 'list', value: { pattern: '*' } }),
      stream.command('s', join()),
      stream.command('s', { $case: 'sync', value: {} }),
    ]
    const replies = await Promise.all(ids.map((id) => stream.reply(id)))
    const of = (at: number) => replies[at]?.outcome as NonNullable<Reply['outcome']> & { value: never }
    // How far a session is that is joined depends on what has come behind.
    const shown = replies.map(({ outcome: found, revision }) => [
      found?.$case,
      found?.$case === 'joined' ? '' : revision,
    ])
    assert.equal(shown, [
      ['joined', ''],
      ['variables', 1],
      ['variables', 2],
      ['written', 3],
      ['many', 4],
      ['variables', 4],
      ['written', 5],
      ['entries', 5],
      ['done', 6],
      ['variables', 5],
      ['joined', ''],
      ['done', 6],
    ])
    const first = of(0) as { value: { created: boolean } }
    assert.equal([first.value.created, (of(10) as typeof first).value.created], [true, false])
    const variables = (at: number) =>
      (of(at) as { value: { variables: { name: string; number: number; value: Value }[] } }).value.variables
    assert.equal(
      variables(5).map((one) => [one.name, plain(one.value)]),
      [
        ['y', 7],
        ['x', 6],
      ],
    )
    assert.equal(
      variables(9).map((one) => one.name),
      ['x'],
    )
    assert.equal(variables(1)[0]?.number, variables(9)[0]?.number)
    const { versions } = (of(4) as { value: { versions: Record<string, number> } }).value
    assert.equal({ ...versions }, { x: 2, y: 1 })
    const { entries } = (of(7) as { value: { entries: { version: number; value: Value }[] } }).value
    assert.equal(
      entries.map((entry) => [entry.version, plain(entry.value)]),
      [
        [2, 6],
        [3, 5],
      ],
    )
  }),
)

test(
  'what is refused says why by a code, and nothing after it is harmed',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0, { constraints: { max: 10 } })
    const stream = await server.stream()
    const refused: [Op, string][] = [
      [setOf('x', 11), 'CONSTRAINT'],
      [setOf('none', 1), 'NOT_FOUND'],
      [
        { $case: 'set', value: { name: 'x', value: number(1), metadataJson: '', expectedVersion: 4 } },
        'VERSION_CONFLICT',
      ],
      [
        { $case: 'set', value: { name: 'x', value: number(1), metadataJson: '{', expectedVersion: undefined } },
        'INVALID_TYPE',
      ],
      [
        { $case: 'set', value: { name: 'x', value: undefined, metadataJson: '', expectedVersion: undefined } },
        'INVALID_TYPE',
      ],
      [define('x'), 'ALREADY_EXISTS'],
      [define('z', 0, 'nonsense'), 'INVALID_TYPE'],
      [{ $case: 'get', value: { names: ['none'] } }, 'NOT_FOUND'],
      [{ $case: 'rollback', value: { name: 'x', version: 9 } }, 'NOT_FOUND'],
      [{ $case: 'delete', value: { name: 'none' } }, 'NOT_FOUND'],
      [{ $case: 'history', value: { name: 'none', limit: 0 } }, 'NOT_FOUND'],
    ]
    const ids = refused.map(([op]) => stream.command('s', op))
    const absent = [stream.set('nowhere', 'x', 1), stream.command('nowhere', join(false))]
    const last = stream.set('s', 'x', 3)
    const codes = await Promise.all(ids.map(async (id) => (await failure(stream, id))?.code))
    assert.equal(
      codes,
      refused.map(([, code]) => code),
    )
    for (const id of absent) {
      const { code, message } = (await failure(stream, id)) as { code: string; message: string }
      assert.equal([code, message], ['NOT_FOUND', 'Session not found: nowhere'])
    }
    assert.equal((await outcome(stream, last))?.$case, 'written')
    assert.is(await ctx.get('x'), 3)
  }),
)

test(
  'an answer comes behind the events it speaks of',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const watch = stream.create(1, 's')
    await stream.when(() => watch.snapshots === 1)
    const ids = range(1, 2000).map((value) => stream.set('s', 'x', value))
    await stream.reply(ids.at(-1) as number)
    let told = 0
    for (const kind of stream.heard) {
      if (kind.$case === 'batch') told = kind.value.through
      // It has credit for so many.
      if (kind.$case === 'reply' && kind.value.revision <= 1000)
        assert.ok(kind.value.revision <= told, `${kind.value.revision} before ${told}`)
    }
    assert.equal(watch.values, range(1, 999), 'no answer waits for what has no credit')
    assert.equal(stream.faults, [])
  }),
)

test(
  'a command that is sent again is answered again and not carried out again, over several streams',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const who = { clientId: 'c', clientInstance: 'i' }
    const first = await server.stream(who)
    const id = first.set('s', 'x', 1)
    const answer = await first.reply(id)
    for (const _ of range(1, 3)) first.command('s', setOf('x', 1), id)
    await first.sync('s')
    const second = await server.stream(who)
    second.command('s', setOf('x', 1), id)
    assert.equal(await second.reply(id), answer)
    await second.sync('s')
    assert.is((await ctx.describe('x')).version, 1)
    const stranger = await server.stream()
    stranger.command('s', setOf('x', 2), id)
    await stranger.reply(id)
    assert.is((await ctx.describe('x')).version, 2)
  }),
)

test(
  'a command that is sent again while it runs is carried out once, and both streams are answered',
  withServer(async (server) => {
    const who = { clientId: 'c', clientInstance: 'i' }
    const first = await server.stream(who)
    // The session has to be made first: none of these has run when the second stream sends them again.
    first.send(
      { $case: 'command', value: { id: 1, sessionId: 's', op: join() } },
      { $case: 'command', value: { id: 2, sessionId: 's', op: define('x') } },
      { $case: 'command', value: { id: 3, sessionId: 's', op: setOf('x', 1) } },
    )
    const second = server.silent()
    second.hello(who)
    for (const [id, op] of [
      [1, join()],
      [2, define('x')],
      [3, setOf('x', 1)],
      [4, setOf('x', 2)],
    ] as const)
      second.command('s', op, id)
    const kinds = await Promise.all([1, 2, 3, 4].map((id) => outcome(second, id)))
    assert.equal(
      kinds.map((kind) => kind?.$case),
      ['joined', 'variables', 'written', 'written'],
    )
    const { context } = await server.sessions.get('s')
    assert.equal(
      (await context.history('x')).map(({ value }) => value),
      [0, 1, 2],
    )
  }),
)

test(
  'what the client has acknowledged is forgotten, and never carried out again',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    const id = stream.set('s', 'x', 1)
    await stream.reply(id)
    stream.send({ $case: 'ack', value: { watches: [], repliesSeen: id } })
    stream.replies.clear()
    stream.command('s', setOf('x', 9), id)
    assert.is((await failure(stream, id))?.code, 'UNAVAILABLE')
    assert.is(await ctx.get('x'), 1)
  }),
)

test(
  'without leave to write nothing is written, without leave to observe nothing is watched, and others go on',
  withServer(
    async (server) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const stream = await server.stream()
      const [write, read] = [stream.set('s', 'x', 1), stream.command('s', { $case: 'get', value: { names: ['x'] } })]
      const watch = stream.create(1, 's')
      assert.is((await failure(stream, write))?.code, 'PERMISSION_DENIED')
      assert.is((await outcome(stream, read))?.$case, 'variables')
      await stream.when(() => watch.canceled !== undefined)
      assert.is(watch.canceled?.reason, 6)
      assert.is(await ctx.get('x'), 0)
    },
    {
      caller: {
        key: '',
        require(_session, permission) {
          if (permission !== 'read') throw new BeamlineError('PERMISSION_DENIED', 'this token may only read')
        },
      },
    },
  ),
)

test(
  'ten thousand sets that nobody waits for are carried out in order and all answered',
  withServer(async (server) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const stream = await server.stream()
    stream.acks = true
    const watch = stream.create(1, 's', { credit: 5000 })
    await stream.when(() => watch.snapshots === 1)
    const ids = range(1, 10_000).map((value) => stream.set('s', 'x', value))
    await stream.reply(ids.at(-1) as number)
    await stream.fence(1)
    assert.equal(watch.values, range(1, 10_000))
    assert.equal(stream.replies.size, 10_000)
    assert.equal(stream.faults, [])
  }),
)

test.run()
