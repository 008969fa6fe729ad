import type { Home } from '../../variables/upstream.js'

/** How a context reaches its bridge: by a name, as a bridge that was killed comes back under another pid. */
export interface Way {
  readonly bridge: string
  /** Whether the session is made when it is not there. */
  readonly create: boolean
}

/** Where contexts live that are behind the bridge with this registered name. */
export const homeBehind = (bridge: string, create = true): Home => ({
  module: new URL('./session-upstream.js', import.meta.url).href,
  export: 'openSession',
  args: { bridge, create } satisfies Way,
  place: bridge,
})
