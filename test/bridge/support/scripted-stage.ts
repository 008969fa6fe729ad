import type { ActorSystem } from '../../../src/actors/system.js'
import { Bridge } from '../../../src/bridge/client/bridge.js'
import type { BridgeOptions } from '../../../src/bridge/client/options.js'
import { Reason } from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import type { SessionState } from '../../../src/variables/session-state.js'
import { ScriptedServer, type ScriptedStream } from './scripted-server.js'
import { integer, playJoin, ScriptedContext } from './scripted-session.js'

/** What the scripted sessions begin with. */
export const begun: SessionState = {
  incarnation: 'first',
  revision: 5,
  variables: [integer(1, 'x', 10), integer(2, 'y', 20)],
}

export interface Stage {
  readonly server: ScriptedServer
  readonly bridge: Bridge
  readonly stream: ScriptedStream
}

export interface InSession extends Stage {
  readonly ctx: ScriptedContext
  /** The watch of its session. */
  readonly watch: number
}

/** Runs a body with a bridge that is connected to a server which does what the test says. */
export async function onStage(
  system: ActorSystem,
  body: (stage: Stage) => Promise<void>,
  options: BridgeOptions = {},
): Promise<void> {
  const server = await ScriptedServer.start()
  const connecting = Bridge.connect(system, server.address, { backoff: { base: 1, cap: 20 }, ...options })
  const stream = await server.stream()
  stream.welcome()
  const bridge = await connecting
  try {
    await body({ server, bridge, stream })
  } finally {
    server.stop()
    await bridge.close()
  }
}

let sessions = 0

/** The same with a context in a session of its own. */
export function inSessionOf(
  system: () => ActorSystem,
): (body: (stage: InSession) => Promise<void>, options?: BridgeOptions) => () => Promise<void> {
  return (body, options) => () =>
    onStage(
      system(),
      async (stage) => {
        const ctx = new ScriptedContext(system(), stage.bridge, `s${++sessions}`)
        const attached = ctx.attach()
        const watch = await playJoin(stage.stream, begun)
        await attached
        await ctx.hear('link')
        await body({ ...stage, ctx, watch })
      },
      options,
    )
}

/** A server's word that there is no such session. */
export const gone = (watchId: number) => ({
  $case: 'canceled' as const,
  value: { watchId, reason: Reason.REASON_NOT_FOUND, detail: '', compacted: 0, incarnation: '', retryAfterMs: 0 },
})
