import { Metadata, status } from '@grpc/grpc-js'
import { ExecuteElixirToolRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { BridgeServer } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { type Answer, answer, Peer } from '../support/bridges.js'
import { systemFor } from '../support/system.js'

const test = suite('bridge server: drain', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

interface Held {
  readonly server: BridgeServer
  readonly peer: Peer
  /** How the call ends that the server is at. */
  readonly outcome: Promise<Answer>
  /** Lets it end. */
  release(): void
}

/** A server that is in the middle of a call. */
async function busy(): Promise<Held> {
  const server = await BridgeServer.start(system(), { address: ':0' })
  await server.sessions.create('s')
  let release = () => {}
  const released = new Promise<string>((resolve) => {
    release = () => resolve('done')
  })
  const begun = new Promise<void>((resolve) => {
    server.tools.add({
      name: 'wait',
      run: () => {
        resolve()
        return released
      },
    })
  })
  const peer = new Peer(server.address)
  const request = ExecuteElixirToolRequest.fromPartial({ sessionId: 's', toolName: 'wait' })
  const outcome = answer((done) => peer.bridge.executeElixirTool(request, new Metadata(), done))
  await begun
  return { server, peer, outcome, release }
}

test('a call that runs when the server is stopped is answered, and one that comes later is refused', async () => {
  const { server, peer, outcome, release } = await busy()
  const stopped = server.stop({ grace: 30_000 })
  // The server has begun to drain once it refuses.
  let late = await peer.ping()
  while (late.code === status.OK) late = await peer.ping()
  assert.is(late.code, status.UNAVAILABLE)
  release()
  const { code, value } = await outcome
  assert.is(code, status.OK)
  assert.is((value as { success: boolean }).success, true)
  await stopped
  peer.close()
})

test('a call that does not end is cut off when the grace is over', async () => {
  const { server, peer, outcome } = await busy()
  await server.stop({ grace: 0 })
  const { code, details } = await outcome
  assert.ok([status.UNAVAILABLE, status.CANCELLED].includes(code), `${code} ${details}`)
  peer.close()
})

test('of a thousand calls at the end of a server each is answered, by its value or a refusal, and no session is lost', async () => {
  const server = await BridgeServer.start(system(), { address: ':0' })
  using peer = new Peer(server.address)
  const answers = Array.from({ length: 1000 }, (_, index) => peer.ping(new Metadata(), String(index)))
  const stopped = server.stop()
  const codes = new Set((await Promise.all(answers)).map(({ code }) => code))
  for (const code of codes) assert.ok([status.OK, status.UNAVAILABLE].includes(code), `status ${code}`)
  await stopped
})

test.run()
