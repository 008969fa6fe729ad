import { timingSafeEqual } from 'node:crypto'
import type { Metadata } from '@grpc/grpc-js'
import { BeamlineError } from '../../errors.js'
import { Glob } from '../../variables/glob.js'
import type { Caller, Guard, Permission } from './guard.js'
import { type HashedGrant, hashOf } from './server-options.js'

/** Whoever reaches the server may do everything. */
export const openGuard: Guard = { admit: () => ({ key: '', require: () => {} }) }

/** What a token is good for. */
class Bearer implements Caller {
  readonly key: string
  readonly #sessions: readonly Glob[]
  readonly #permissions: ReadonlySet<Permission>

  constructor({ hash, sessions, permissions }: HashedGrant) {
    this.key = Buffer.from(hash).toString('base64')
    this.#sessions = sessions.map((pattern) => new Glob(pattern))
    this.#permissions = new Set(permissions)
  }

  require(session: string, permission: Permission): void {
    if (this.#permissions.has(permission) && this.#sessions.some((glob) => glob.matches(session))) return
    const text = `the token does not give the permission to ${permission} in this session`
    throw new BeamlineError('PERMISSION_DENIED', text, { details: { permission } })
  }
}

/** Admits who says a token that is known. */
export class TokenGuard implements Guard {
  readonly #grants: readonly { readonly hash: Uint8Array; readonly bearer: Bearer }[]
  /** A call is asked about twice: when it comes, and by the service it is for. */
  readonly #admitted = new WeakMap<Metadata, Bearer>()

  constructor(grants: readonly HashedGrant[]) {
    this.#grants = grants.map((grant) => ({ hash: grant.hash, bearer: new Bearer(grant) }))
  }

  admit(metadata: Metadata): Caller {
    const before = this.#admitted.get(metadata)
    if (before !== undefined) return before
    const token = tokenIn(metadata)
    if (token === undefined) throw notKnown('say who calls: authorization: Bearer <token>')
    const bearer = this.#find(hashOf(token))
    if (bearer === undefined) throw notKnown('the token is not known here')
    this.#admitted.set(metadata, bearer)
    return bearer
  }

  /** Compares with all, so that time tells nothing of which it was. */
  #find(hash: Uint8Array): Bearer | undefined {
    let found: Bearer | undefined
    for (const grant of this.#grants) if (timingSafeEqual(grant.hash, hash)) found = grant.bearer
    return found
  }
}

/** What a caller says is its token; undefined when it says none, or several. */
export function tokenIn(metadata: Metadata): string | undefined {
  const said = metadata.get('authorization')
  const [one] = said
  if (said.length !== 1 || typeof one !== 'string') return undefined
  return /^Bearer +(\S+)$/i.exec(one)?.[1]
}

const notKnown = (text: string): BeamlineError => new BeamlineError('UNAUTHENTICATED', text)
