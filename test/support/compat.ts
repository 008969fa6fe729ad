import type { ActorSystem } from '../../src/actors/system.js'
import { BridgeServer } from '../../src/index.js'
import type { suite } from '../harness.js'
import { PlainClient, PlainSession } from './plain-client.js'
import { systemFor } from './system.js'

/** What a test of the compatible service has at hand. */
export interface Stage {
  readonly session: PlainSession
  readonly client: PlainClient
  readonly server: BridgeServer
  readonly system: ActorSystem
}

/** One server for a suite; answers what makes a test's body of one that wants a session of its own. */
export function compatFor(
  test: ReturnType<typeof suite>,
): (body: (stage: Stage) => Promise<unknown>) => () => Promise<void> {
  const system = systemFor(test, { threads: 1 })
  let open: { server: BridgeServer; client: PlainClient } | undefined
  let count = 0
  test.before(async () => {
    const server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
    open = { server, client: new PlainClient(server.address) }
  })
  test.after(async () => {
    open?.client[Symbol.dispose]()
    await open?.server.stop()
  })
  return (body) => async () => {
    const { server, client } = open as { server: BridgeServer; client: PlainClient }
    const session = await PlainSession.open(client, `s${count++}`)
    await body({ session, client, server, system: system() })
    await session.call('CleanupSession', {})
  }
}
