import { Connection, type ConnectionEvents } from '../../src/bridge/client/connection.js'
import { argsOf } from '../../src/bridge/client/options.js'
import { ResumeResult } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { BeamlineError } from '../../src/errors.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { ScriptedServer } from './support/scripted-server.js'
import { createdOf, writtenTo } from './support/scripted-session.js'
import { inSessionOf } from './support/scripted-stage.js'

const test = suite('losses of a connection')
const system = systemFor(test, { threads: 1 })
const inSession = inSessionOf(system)

test(
  'where nothing waits, what waits when the connection is lost is refused, and so is what was only asked',
  inSession(
    async ({ ctx, server, stream }) => {
      const seqs = [ctx.set('x', 1), ctx.tell({ op: 'sync', first: true }), ctx.set('x', 2)]
      const { id } = await stream.next('command')
      await stream.next('command')
      stream.end()
      const refused = [await ctx.hear('reply'), await ctx.hear('reply')]
      assert.equal(
        refused.map(({ seq, error }) => [seq, error?.code]),
        seqs.slice(1).map((seq) => [seq, 'UNAVAILABLE']),
      )
      for (const { error } of refused) assert.match(error?.message ?? '', /connection to .* was lost/)
      const next = await server.stream()
      next.welcome()
      // A change that was sent may have been made: the server says.
      assert.is((await next.next('command')).id, id)
      const { watchId } = await next.next('create')
      next.say(createdOf(watchId, { revision: 5, incarnation: 'first', resume: ResumeResult.RESUME_RESULT_RESUMED }))
      next.say(writtenTo(id, 6))
      assert.is((await ctx.hear('reply')).seq, seqs[0])
      ctx.set('x', 3)
      const { op } = await next.next('command')
      assert.equal(op?.$case === 'set' && op.value.value?.kind, { $case: 'number', value: 3 })
    },
    { whenOffline: 'reject' },
  ),
)

/** A connection to a server that has welcomed it, and the states it has come to. */
async function connectedTo(server: ScriptedServer) {
  const clock = new VirtualClock()
  const states: string[] = []
  let ready = () => {}
  const welcomed = new Promise<void>((resolve) => {
    ready = resolve
  })
  const events: ConnectionEvents = {
    welcome: () => ready(),
    reading: (work) => work(),
    item: () => {},
    settled: () => {},
    leaving: () => {},
    lost: () => states.push('lost'),
    state: (state) => states.push(state),
    repliesSeen: () => 0,
  }
  const args = { ...argsOf(server.address, {}), name: 'n', clientId: 'c', observer: system().self.pid }
  const connection = new Connection(args, 'i', clock, events)
  connection.start()
  const stream = await server.stream()
  stream.welcome()
  await welcomed
  return { connection, stream, clock, states }
}

test('who hears of a loss finds the state that it has led to', async () => {
  const server = await ScriptedServer.start()
  const { connection, states } = await connectedTo(server)
  connection.drop({ error: new BeamlineError('UNAVAILABLE', 'a fault'), permanent: false })
  assert.equal(states, ['ready', 'reconnecting', 'lost'])
  connection.close(new BeamlineError('STOPPED', 'closed'))
  server.stop()
})

test('a connection that was closed is not made again when its stream ends', async () => {
  const server = await ScriptedServer.start()
  const { connection, stream, clock, states } = await connectedTo(server)
  connection.close(new BeamlineError('STOPPED', 'closed'))
  await stream.closed
  // The end has come back to it before another has come about.
  const other = await connectedTo(server)
  assert.equal([clock.pending, states], [0, ['ready', 'closed']])
  other.connection.close(new BeamlineError('STOPPED', 'closed'))
  server.stop()
})

test.run()
