import { type ClientReadableStream, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import {
  BridgeServiceClient,
  BridgeServiceService,
  type VariableUpdate,
} from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { watchRpcs } from '../../src/bridge/server/compat/watch-rpcs.js'
import type { LogBounds } from '../../src/bridge/server/mirror-log.js'
import { mirrorsOf } from '../../src/bridge/server/mirrors.js'
import { assert, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { StreamServer, type StreamServerOptions } from '../support/streams.js'
import { systemFor } from '../support/system.js'

const test = suite('WatchVariables')
const system = systemFor(test, { threads: 1 })

interface Options extends StreamServerOptions {
  readonly bounds?: LogBounds
}

type Body = (server: StreamServer, watch: (names: string[], options?: WatchOptions) => Updates) => Promise<void>

interface WatchOptions {
  readonly initial?: boolean
  readonly session?: string
  readonly resume?: string
}

const withServer =
  (body: Body, options: Options = {}) =>
  async () => {
    await using server = await StreamServer.start(system(), {
      ...options,
      service: (deps) => {
        mirrorsOf(deps, options.bounds)
        return { definition: BridgeServiceService, implementation: watchRpcs(deps) as never }
      },
    })
    const client = new BridgeServiceClient(server.address, credentials.createInsecure())
    const open: Updates[] = []
    const watch = (names: string[], { initial = true, session = 's', resume }: WatchOptions = {}) => {
      const metadata = new Metadata()
      if (resume !== undefined) metadata.set('x-watch-resume', resume)
      const request = { sessionId: session, variableIdentifiers: names, includeInitialValues: initial }
      const updates = new Updates(client.watchVariables(request, metadata))
      open.push(updates)
      return updates
    }
    try {
      await body(server, watch)
    } finally {
      for (const { call } of open) call.cancel()
      client.close()
    }
  }

/** What one call tells. */
class Updates {
  readonly call: ClientReadableStream<VariableUpdate>
  readonly all: VariableUpdate[] = []
  error: ServiceError | undefined
  #wake: () => void = () => {}

  constructor(call: ClientReadableStream<VariableUpdate>) {
    this.call = call
    call.on('data', (update: VariableUpdate) => {
      this.all.push(update)
      this.#wake()
    })
    call.on('error', (error: ServiceError) => {
      this.error = error
      this.#wake()
    })
  }

  async when(isMet: () => boolean): Promise<void> {
    while (!isMet()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async until(updateType: string): Promise<VariableUpdate> {
    const found = () => this.all.find((update) => update.updateType === updateType)
    await this.when(() => found() !== undefined)
    return found() as VariableUpdate
  }

  async end(): Promise<ServiceError> {
    await this.when(() => this.error !== undefined)
    return this.error as ServiceError
  }

  of(updateType: string): VariableUpdate[] {
    return this.all.filter((update) => update.updateType === updateType)
  }

  get shown(): unknown[] {
    return this.all.map(({ updateType, variable }) => [updateType, variable?.name, plainOf(variable?.value)])
  }
}

const plainOf = (any: { value: Uint8Array } | undefined) =>
  any === undefined ? undefined : JSON.parse(Buffer.from(any.value).toString())

test(
  'the present values in the order asked for, their end, then each change with the whole variable and the value before',
  withServer(async (server, watch) => {
    const ctx = await server.session('s')
    for (const name of ['a', 'b', 'other']) await ctx.define(name, 'integer', 1)
    const { id } = await ctx.describe('a')
    const updates = watch(['b', id])
    await updates.until('initial_end')
    await ctx.set('a', 2, { source: 'python', unit: 'm' })
    await ctx.set('other', 2)
    await ctx.updateMany({ b: 5, a: 3 })
    await ctx.delete('b')
    await ctx.define('b', 'integer', 9)
    await ctx.set('b', 10)
    await ctx.set('a', 4)
    await updates.when(() => plainOf(updates.all.at(-1)?.variable?.value) === 4)
    assert.equal(updates.shown, [
      ['initial_value', 'b', 1],
      ['initial_value', 'a', 1],
      ['initial_end', undefined, undefined],
      ['value_change', 'a', 2],
      ['value_change', 'b', 5],
      ['value_change', 'a', 3],
      ['deleted', undefined, undefined],
      ['value_change', 'a', 4],
    ])
    const [change, b, a] = updates.of('value_change')
    assert.equal([change?.variableId, change?.variable?.version, change?.updateSource], [id, 1, 'python'])
    const { unit, revision, incarnation } = change?.updateMetadata ?? {}
    assert.equal([unit, revision, change?.revision, incarnation], ['m', '4', 4, change?.incarnation])
    assert.equal([plainOf(change?.oldValue), b?.revision, a?.revision], [1, 6, 6])
    assert.equal([a?.variable?.metadata['unit'], a?.variable?.metadata['source']], ['m', 'local'])
    assert.equal(plainOf(updates.of('deleted')[0]?.oldValue), 5)
  }),
)

test(
  'without initial values nothing comes before the first change; without names every variable is watched, new ones too',
  withServer(async (server, watch) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const some = watch(['x'], { initial: false })
    const all = watch([], { initial: true })
    await all.until('initial_end')
    await ctx.set('x', 1)
    await some.until('value_change')
    await ctx.define('y', 'string', 'new')
    await all.when(() => all.all.length === 4)
    assert.equal(some.shown, [['value_change', 'x', 1]])
    assert.equal(all.shown.slice(2), [
      ['value_change', 'x', 1],
      ['value_change', 'y', 'new'],
    ])
  }),
)

test(
  'what is not there is NOT_FOUND, in the words that clients look for',
  withServer(async (server, watch) => {
    await server.session('s')
    const [variable, session] = [watch(['none']), watch([], { session: 'nowhere' })]
    const errors = await Promise.all([variable.end(), session.end()])
    assert.equal(
      errors.map(({ code, details }) => [code, details]),
      [
        [status.NOT_FOUND, 'Variable not found: none'],
        [status.NOT_FOUND, 'Session not found: nowhere'],
      ],
    )
    assert.is((await watch([], { resume: 'nonsense' }).end()).code, status.INVALID_ARGUMENT)
  }),
)

test(
  'a reader that stands still is told everything in order once it goes on, and harms nobody',
  withServer(async (server, watch) => {
    const ctx = await server.session('s')
    await ctx.define('x', 'integer', 0)
    const [slow, quick] = [watch(['x']), watch(['x'])]
    await Promise.all([slow.until('initial_end'), quick.until('initial_end')])
    slow.call.pause()
    await Promise.all(range(1, 5000).map((value) => ctx.set('x', value)))
    await quick.when(() => quick.all.length === 5002)
    slow.call.resume()
    await slow.when(() => slow.all.length === 5002)
    for (const updates of [slow, quick])
      assert.equal(
        updates.of('value_change').map(({ variable }) => plainOf(variable?.value)),
        range(1, 5000),
      )
  }),
)

test(
  'heartbeats say how far the session is, and carry no variable',
  withServer(
    async (server, watch) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const updates = watch(['x'])
      await updates.until('initial_end')
      const { revision } = await ctx.set('x', 1)
      await updates.when(() => updates.of('heartbeat').some((beat) => beat.revision === revision))
      assert.ok(
        updates.of('heartbeat').every(({ variable, variableId }) => variable === undefined && variableId === ''),
      )
    },
    { heartbeatMs: 20 },
  ),
)

test(
  'a client that comes back is told what it has missed; when that is not known any more, what there is',
  withServer(
    async (server, watch) => {
      const ctx = await server.session('s')
      await ctx.define('x', 'integer', 0)
      const first = watch(['x'])
      const { incarnation, revision } = await first.until('initial_end')
      for (const value of [1, 2, 3]) await ctx.set('x', value)
      const again = watch(['x'], { resume: `${incarnation}:${revision + 1}` })
      await again.when(() => again.all.length === 2)
      assert.equal(again.shown, [
        ['value_change', 'x', 2],
        ['value_change', 'x', 3],
      ])
      for (const value of range(4, 9)) await ctx.set('x', value)
      const late = watch(['x'], { resume: `${incarnation}:${revision}` })
      const other = watch(['x'], { resume: `other:${revision}` })
      const told = await Promise.all([late.until('resync'), other.until('resync')])
      assert.equal(
        told.map(({ variable }) => plainOf(variable?.value)),
        [9, 9],
      )
      assert.equal(
        told.map(({ updateMetadata }) => updateMetadata['reason']),
        ['compacted', 'new_incarnation'],
      )
      const { lost_from, lost_to } = told[0]?.updateMetadata ?? {}
      assert.equal([lost_from, lost_to], ['2', '10'])
      await ctx.set('x', 10)
      await Promise.all([late, other].map((updates) => updates.until('value_change')))
    },
    { bounds: { events: 4, bytes: 1e6, ageMs: 1e9, fewest: 1 } },
  ),
)

test(
  'the stream ends with its session, and when the server drains, behind everything that was committed',
  withServer(async (server, watch) => {
    const [s, t] = [await server.session('s'), await server.session('t')]
    for (const ctx of [s, t]) await ctx.define('x', 'integer', 0)
    const [cleaned, drained] = [watch(['x']), watch(['x'], { session: 't' })]
    await Promise.all([cleaned.until('initial_end'), drained.until('initial_end')])
    await Promise.all(range(1, 500).flatMap((value) => [s.set('x', value), t.set('x', value)]))
    await server.sessions.delete('s')
    const end = await cleaned.end()
    assert.equal([end.code, end.details], [status.NOT_FOUND, 'Session not found: s'])
    server.drain()
    assert.is((await drained.end()).code, status.UNAVAILABLE)
    for (const updates of [cleaned, drained])
      assert.equal(
        updates.of('value_change').map(({ variable }) => plainOf(variable?.value)),
        range(1, 500),
      )
  }),
)

test.run()
