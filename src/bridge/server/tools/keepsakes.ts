import type { ToolRegistration } from '../../gen/snakepit/bridge/bridge.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import { PerSession } from './per-session.js'
import type { KeptIn, ToolMessage, ToolRequest } from './requests.js'

/** What a client has arranged in a session, which must be known again when the server's thread has died. */
export type Keepsake =
  | { readonly kind: 'tool'; readonly registration: ToolRegistration; readonly workerId: string }
  /** Variables by their ids. */
  | { readonly kind: 'dependency'; readonly from: string; readonly to: string; readonly type: string }

/** Has the keepsakes of sessions kept by the process of the host's tools, which outlives the server's thread. */
export class Keepsakes {
  readonly #deps: Pick<ServiceDeps, 'self' | 'hostTools' | 'sessions'>
  /** Sees to it that a session is forgotten when it ends. */
  readonly #known: PerSession<Session>

  constructor(deps: Pick<ServiceDeps, 'self' | 'hostTools' | 'sessions'>) {
    this.#deps = deps
    this.#known = new PerSession(
      (session) => session,
      ({ id, createdAt }) => this.#tell({ kind: 'forget', session: id, createdAt }),
    )
  }

  keep(session: Session, keepsake: Keepsake): void {
    const { id, createdAt } = this.#known.of(session)
    this.#tell({ kind: 'keep', session: id, createdAt, key: keyOf(keepsake), keepsake })
  }

  /** Arranges everything again that was kept, for those sessions that are still there. */
  async restore(again: (session: Session, keepsake: Keepsake) => Promise<void>): Promise<void> {
    const { self, hostTools } = this.#deps
    const request: ToolRequest = { kind: 'kept' }
    const all = (await self.call(hostTools, request, { timeout: Number.POSITIVE_INFINITY })) as readonly KeptIn[]
    for (const kept of all) {
      const session = await this.#find(kept)
      if (session === undefined) this.#tell({ kind: 'forget', session: kept.session, createdAt: kept.createdAt })
      // What cannot be arranged any more concerns variables that are gone.
      else for (const keepsake of kept.keepsakes) await again(this.#known.of(session), keepsake).catch(() => {})
    }
  }

  async #find({ session: id, createdAt }: KeptIn): Promise<Session | undefined> {
    const session = await this.#deps.sessions.get(id).catch(() => undefined)
    return session?.createdAt === createdAt ? session : undefined
  }

  #tell(message: ToolMessage): void {
    this.#deps.self.cast(this.#deps.hostTools, message)
  }
}

/** What is arranged again under the same takes the place of the first. */
function keyOf(keepsake: Keepsake): string {
  if (keepsake.kind === 'tool') return `tool ${keepsake.registration.name}`
  return `dependency ${keepsake.from} ${keepsake.to}`
}
