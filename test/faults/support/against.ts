import { type ActorSystem, Bridge, BridgeServer, type BridgeServerOptions, Context } from '../../../src/index.js'
import { assert } from '../../harness.js'

/** The token of {@link against}'s servers that have tokens. */
export const secret = 'a-token-that-nobody-may-see'

export type Body = (server: BridgeServer) => Promise<unknown>

/** Runs against a server, and sees afterwards that it serves others as before, in its first life. */
export function against(system: () => ActorSystem, body: Body, options: BridgeServerOptions = {}): () => Promise<void> {
  return async () => {
    const server = await BridgeServer.start(system(), { address: '127.0.0.1:0', ...options })
    // Whoever is still connected is not waited for.
    await using _ = { [Symbol.asyncDispose]: () => server.stop({ grace: 100 }) }
    await body(server)
    const { starts } = await server.stats()
    assert.is(starts, 1, 'the server had to be started again')
    const ctx = await server.sessions.create('after')
    await ctx.define('x', 'integer', 1)
    if (options.tls !== undefined) return
    const token = options.token === undefined ? {} : { token: secret }
    await using bridge = await Bridge.connect(system(), server.address, token)
    const behind = await Context.start(system(), { id: 'after', bridge })
    assert.is(await behind.get('x'), 1)
  }
}
