import { Bridge, BridgeServer, type ChangeMeta, Context } from '../../src/index.js'
import { assert, eventually, suite } from '../harness.js'
import { Recorder, range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('the past of a session behind a bridge', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

type Body = (there: Context, join: () => Promise<Context>) => Promise<void>

function behind(body: Body): () => Promise<void> {
  return async () => {
    await using server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
    await using bridge = await Bridge.connect(system(), server.address)
    const there = await server.sessions.create()
    await body(there, () => Context.start(system(), { id: there.id, bridge }))
  }
}

const factsOf = ({ revision, version, initial, resync }: ChangeMeta) => [revision, version, initial, resync]

test(
  'a watch since a revision before the context joined is told every change after it, then the next ones',
  behind(async (there, join) => {
    await there.define('x', 'integer', 0)
    await there.define('y', 'string', 'a')
    for (const value of range(1, 5)) await there.set('x', value, { source: 'there', step: value })
    await there.updateMany({ x: 6, y: 'b' })
    const here = await join()
    const seen = new Recorder()
    await using _ = await here.watch(['x', 'y'], seen.callback, { sinceRevision: 4 })
    await there.set('y', 'c')
    await here.set('x', 7)
    await eventually(() => seen.changes.length === 7)
    assert.equal(
      seen.changes.map(({ name, value }) => [name, value]),
      [
        ['x', 3],
        ['x', 4],
        ['x', 5],
        ['x', 6],
        ['y', 'b'],
        ['y', 'c'],
        ['x', 7],
      ],
    )
    assert.equal(seen.revisions, [5, 6, 7, 8, 8, 9, 10])
    const [first] = seen.changes
    assert.equal(factsOf(first?.meta as ChangeMeta), [5, 3, false, false])
    assert.equal([first?.meta.source, first?.meta['step']], ['there', 3])
    assert.equal(
      seen.changes.slice(1, 4).map(({ previous }) => previous),
      [3, 4, 5],
    )
  }),
)

test(
  'since the beginning, and for one that was deleted and defined again only the life that goes on',
  behind(async (there, join) => {
    await there.define('x', 'integer', 1)
    await there.delete('x')
    await there.define('x', 'integer', 10)
    await there.set('x', 11)
    const here = await join()
    const seen = new Recorder()
    await using _ = await here.watch(['x'], seen.callback, { sinceRevision: 0 })
    await here.set('x', 12)
    // A definition is no change, as it is none to a watch of a local context.
    assert.equal(seen.steps, [
      [10, 11],
      [11, 12],
    ])
    await assert.rejects(
      here.watch(['x'], () => {}, { sinceRevision: 99 }),
      'INVALID_TYPE',
    )
  }),
)

test(
  'what the server no longer has is COMPACTED',
  behind(async (there, join) => {
    await there.define('x', 'integer', 0)
    for (let written = 0; written < 70_000; written += 1000)
      await Promise.all(range(written + 1, written + 1000).map((value) => there.set('x', value)))
    const here = await join()
    const error = await assert.rejects(
      here.watch(['x'], () => {}, { sinceRevision: 1 }),
      'COMPACTED',
    )
    const since = Number(error.details['compacted'])
    const seen = new Recorder()
    await using _ = await here.watch(['x'], seen.callback, { sinceRevision: since })
    await eventually(() => seen.values.at(-1) === 70_000)
    assert.is(seen.changes.length, 70_001 - since)
  }),
)

test.run()
