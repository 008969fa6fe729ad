import type { ActorSystem, SystemOptions } from '../../src/actors/system.js'
import { Bridge, BridgeServer, Context } from '../../src/index.js'
import type { suite } from '../harness.js'
import { systemFor } from './system.js'

/** What a test of a bridged context has. */
export interface Bridged {
  readonly ctx: Context
  readonly server: BridgeServer
  readonly bridge: Bridge
  readonly system: ActorSystem
}

/**
 * One system for a suite, with a server and a bridge to it; answers what makes a test's body of one that wants a context
 * that has been moved there.
 */
export function bridgedFor(
  test: ReturnType<typeof suite>,
  options: SystemOptions = { threads: 1 },
): (body: (bridged: Bridged) => Promise<unknown>) => () => Promise<void> {
  const system = systemFor(test, options)
  let server: BridgeServer | undefined
  let bridge: Bridge | undefined
  test.before(async () => {
    server = await BridgeServer.start(system(), { address: '127.0.0.1:0' })
    bridge = await Bridge.connect(system(), server.address)
  })
  test.after(async () => {
    await bridge?.close()
    await server?.stop()
  })
  return (body) => async () => {
    if (server === undefined || bridge === undefined) throw new Error('the bridge opens with the first test')
    await using ctx = await Context.start(system())
    await ctx.ensureBridged(bridge)
    try {
      await body({ ctx, server, bridge, system: system() })
    } finally {
      await server.sessions.delete(ctx.id)
    }
  }
}
