import type { BeamlineError } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'
import type { ServerItem, Welcome } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { OnGap, Policy } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { Credit } from './acks.js'
import { encoded } from './items.js'
import type { Attach, LinkParts, Watching } from './link-parts.js'
import type { Token } from './session-copy.js'
import { SessionLink } from './session-link.js'

type Item = Exclude<NonNullable<ServerItem['kind']>, { $case: 'reply' }>

export interface SessionsParts extends Omit<LinkParts, 'watch' | 'unwatch' | 'serverId' | 'ended'> {
  item(item: Uint8Array): void
  /** Undefined while there is no connection. */
  welcome(): Welcome | undefined
}

/** The sessions that contexts of this system are attached to, by their ids and by their watches on the stream. */
export class Sessions {
  readonly #parts: SessionsParts
  readonly #linkParts: LinkParts
  readonly #links = new Map<string, SessionLink>()
  readonly #watches = new Map<number, Watching>()
  /** Those that have something to tell. */
  readonly #told = new Set<Watching>()
  #lastWatch = 0

  constructor(parts: SessionsParts) {
    this.#parts = parts
    this.#linkParts = {
      ...parts,
      serverId: () => parts.welcome()?.serverId,
      watch: (link, resume) => this.#watch(link, resume),
      unwatch: (credit) => {
        this.#watches.delete(credit.watchId)
        parts.item(encoded({ $case: 'cancel', value: { watchId: credit.watchId } }))
      },
      ended: (link) => {
        this.#told.delete(link)
        if (this.#links.get(link.session) === link) this.#links.delete(link.session)
      },
    }
  }

  get count(): number {
    return this.#links.size
  }

  get lag(): number {
    let lag = 0
    for (const link of this.#links.values()) lag = Math.max(lag, link.lag)
    return lag
  }

  has(session: string): boolean {
    return this.#links.has(session)
  }

  attach(session: string, attach: Attach): void {
    let link = this.#links.get(session)
    if (link === undefined) {
      link = new SessionLink(session, this.#linkParts)
      this.#links.set(session, link)
    }
    link.attach(attach)
  }

  detach(session: string, pid: Pid): void {
    this.#links.get(session)?.detach(pid)
  }

  online(): void {
    for (const link of [...this.#links.values()]) link.online()
  }

  /** @param wait whether contexts wait for another connection that have not been of their session before */
  offline(wait: boolean): void {
    this.#watches.clear()
    for (const link of [...this.#links.values()]) link.offline(wait)
  }

  close(error: BeamlineError): void {
    for (const link of [...this.#links.values()]) link.close(error)
  }

  /** What the server says of a watch; one that has ended meanwhile wants to hear nothing of it. */
  take(item: Item): void {
    switch (item.$case) {
      case 'batch': {
        const link = this.#watches.get(item.value.watchId)
        if (link === undefined) return
        link.batch(item.value)
        this.#told.add(link)
        return
      }
      case 'created':
        return this.#watches.get(item.value.watchId)?.created(item.value)
      case 'snapshot':
        return this.#watches.get(item.value.watchId)?.snapshot(item.value)
      case 'progress':
        for (const progress of item.value.watches) this.#watches.get(progress.watchId)?.progress(progress)
        return
      case 'canceled': {
        const link = this.#watches.get(item.value.watchId)
        this.#watches.delete(item.value.watchId)
        return link?.canceled(item.value)
      }
    }
  }

  /** Tells what has come of a frame. */
  settle(): void {
    if (this.#told.size === 0) return
    for (const link of this.#told) link.settle()
    this.#told.clear()
  }

  #watch(link: Watching, resume: Token | undefined): Credit {
    const watchId = ++this.#lastWatch
    const credit = new Credit(watchId, this.#parts.welcome()?.maxCredit ?? 0)
    this.#watches.set(watchId, link)
    const value = {
      watchId,
      sessionId: link.session,
      selectors: [],
      resume,
      policy: Policy.POLICY_LOSSLESS,
      minIntervalMs: 0,
      onGap: OnGap.ON_GAP_SNAPSHOT,
      credit: credit.limit,
      allowMissing: true,
    }
    this.#parts.item(encoded({ $case: 'create', value }))
    return credit
  }
}
