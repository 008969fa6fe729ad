import { createHash } from 'node:crypto'
import { BeamlineError, shown } from '../../errors.js'
import { type Address, formatAddress, isLocal, parseAddress } from './address.js'
import type { Permission } from './guard.js'
import { defaultLimits, type Limits } from './limits.js'

/** What a server shows its clients, and asks of them, as PEM. */
export interface TlsOptions {
  readonly cert: string | Uint8Array
  readonly key: string | Uint8Array
  /** Who must have signed the certificates of clients. */
  readonly ca?: string | Uint8Array
  /** Whether clients must show a certificate; needs `ca`. */
  readonly requestClientCert?: boolean
}

/** What the bearer of a token may do. */
export interface TokenGrant {
  readonly token: string
  /** The sessions it is for, by id or pattern, where `*` stands for any characters; all unless told. */
  readonly sessions?: string | readonly string[]
  /** All unless told. */
  readonly permissions?: readonly Permission[]
}

export interface BridgeServerOptions {
  /** `host:port`, `:0` for any free port of this machine, or `unix:/path`, best in a folder of mode 0700; `127.0.0.1:50051`. */
  readonly address?: string
  readonly tls?: TlsOptions
  /** Clients must say `authorization: Bearer <token>`. A text is good for everything. */
  readonly token?: string | readonly TokenGrant[]
  readonly limits?: Partial<Limits>
  /** Milliseconds between two signs of life on a stream; 5000, and 2000 where only this machine reaches the server. */
  readonly heartbeat?: number
  /** Seconds without use after which a session ends; 3600. */
  readonly sessionTtl?: number
  /** Whether clients may ask what services there are; false. */
  readonly reflection?: boolean
  /**
   * Where workers may be whose tools this server calls for its clients, besides at loopback addresses: hosts, and `unix:`
   * with a path, each as it is or with `*` for any characters; none unless told.
   */
  readonly remoteTools?: readonly string[]
  /** Allows an address that other machines reach without TLS and a token; false. */
  readonly allowInsecureRemote?: boolean
}

/** A grant as the server keeps it: of the token only the hash. */
export interface HashedGrant {
  /** SHA-256. */
  readonly hash: Uint8Array
  readonly sessions: readonly string[]
  readonly permissions: readonly Permission[]
}

/** Options that are checked and complete. */
export interface ServerSettings {
  readonly address: Address
  readonly tls: TlsOptions | undefined
  /** Undefined: whoever reaches the server may do everything. */
  readonly grants: readonly HashedGrant[] | undefined
  readonly limits: Limits
  readonly heartbeatMs: number
  readonly ttlMs: number
  readonly reflection: boolean
  readonly remoteTools: readonly string[]
}

const permissions: readonly Permission[] = ['read', 'write', 'observe', 'optimize']
const known: readonly string[] = [
  'address',
  'tls',
  'token',
  'limits',
  'heartbeat',
  'sessionTtl',
  'reflection',
  'remoteTools',
  'allowInsecureRemote',
] satisfies (keyof BridgeServerOptions)[]

export const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest()

/** @throws BeamlineError INVALID_TYPE, PERMISSION_DENIED for an address that is too open; `details.option` names the option */
export function settingsOf(options: BridgeServerOptions): ServerSettings {
  if (typeof options !== 'object' || options === null) throw bad('options', options, 'give an object')
  for (const option of Object.keys(options))
    if (!known.includes(option)) throw badSecret(option, `there is no such option; there are ${known.join(', ')}`)
  const { tls, token, limits = {}, sessionTtl = 3600, reflection = false, allowInsecureRemote = false } = options
  const { remoteTools = [] } = options
  const address = parseAddress(options.address ?? '127.0.0.1:50051')
  boolean('reflection', reflection)
  boolean('allowInsecureRemote', allowInsecureRemote)
  if (!Array.isArray(remoteTools) || !remoteTools.every((one) => typeof one === 'string'))
    throw bad('remoteTools', remoteTools, "give a list of hosts, and of 'unix:' with a path")
  const settings = {
    address,
    tls: tls === undefined ? undefined : checkedTls(tls),
    grants: token === undefined ? undefined : grantsOf(token),
    limits: limitsOf(limits),
    heartbeatMs: number(
      'heartbeat',
      options.heartbeat ?? (isLocal(address) ? 2000 : 5000),
      'milliseconds, 10 or more',
      10,
    ),
    ttlMs: number('sessionTtl', sessionTtl, 'seconds, 0 or more', 0, Number.POSITIVE_INFINITY) * 1000,
    reflection,
    remoteTools: [...remoteTools],
  }
  if (isLocal(address) || (tls !== undefined && token !== undefined) || allowInsecureRemote) return settings
  const text = `address: other machines reach ${formatAddress(address)}: give tls and token, a loopback address, or allowInsecureRemote: true`
  throw new BeamlineError('PERMISSION_DENIED', text, { details: { option: 'address' } })
}

function checkedTls(tls: TlsOptions): TlsOptions {
  if (typeof tls !== 'object' || tls === null) throw badTls('tls', 'give { cert, key }')
  const { cert, key, ca, requestClientCert = false } = tls
  if (!isPem(cert)) throw badTls('tls.cert', 'give a certificate as PEM')
  if (!isPem(key)) throw badTls('tls.key', 'give the private key of the certificate as PEM')
  if (ca !== undefined && !isPem(ca)) throw badTls('tls.ca', 'give the certificates of authorities as PEM')
  boolean('tls.requestClientCert', requestClientCert)
  if (requestClientCert && ca === undefined) throw badTls('tls.ca', 'requestClientCert needs it: give it as PEM')
  return { cert, key, ...(ca !== undefined && { ca }), requestClientCert }
}

const isPem = (value: unknown): boolean =>
  (typeof value === 'string' || value instanceof Uint8Array) && value.toString().length > 0

function grantsOf(token: string | readonly TokenGrant[]): HashedGrant[] {
  if (typeof token === 'string') return [grantOf({ token }, 'token')]
  if (!Array.isArray(token) || token.length === 0) throw badSecret('token', 'give a text or a list of { token, … }')
  return token.map((grant: TokenGrant, index) => grantOf(grant, `token[${index}]`))
}

function grantOf(grant: TokenGrant, option: string): HashedGrant {
  if (typeof grant !== 'object' || grant === null) throw badSecret(option, 'give { token, sessions?, permissions? }')
  const { token, sessions = '*', permissions: allowed = permissions } = grant
  // What a header cannot carry no client could say.
  if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))
    throw badSecret(option, 'a token is a text of visible ASCII characters, not empty')
  const patterns = typeof sessions === 'string' ? [sessions] : sessions
  if (!Array.isArray(patterns) || !patterns.every((one) => typeof one === 'string'))
    throw bad(`${option}.sessions`, sessions, 'give a session id or pattern, or a list of them')
  if (!Array.isArray(allowed) || !allowed.every((one) => permissions.includes(one)))
    throw bad(`${option}.permissions`, allowed, `give a list of ${permissions.join(', ')}`)
  return { hash: new Uint8Array(hashOf(token)), sessions: patterns, permissions: allowed }
}

function limitsOf(given: Partial<Limits>): Limits {
  if (typeof given !== 'object' || given === null) throw bad('limits', given, 'give an object')
  const limits: Record<string, number> = { ...defaultLimits }
  for (const [name, value] of Object.entries(given)) {
    const option = `limits.${name}`
    if (!Object.hasOwn(defaultLimits, name))
      throw bad(option, value, `there is no such limit; there are ${Object.keys(defaultLimits).join(', ')}`)
    if (value === undefined) continue
    const isWhole = name === 'rate' || value === Number.POSITIVE_INFINITY || Number.isInteger(value)
    if (!isWhole) throw bad(option, value, 'give a whole number, 1 or more')
    limits[name] = number(option, value, 'a number, 1 or more', 1, Number.POSITIVE_INFINITY)
  }
  const { maxMessageBytes } = limits as unknown as Limits
  if (maxMessageBytes >= 1024 && maxMessageBytes < 2 ** 31) return limits as unknown as Limits
  throw bad('limits.maxMessageBytes', maxMessageBytes, 'give a number of bytes from 1,024 to 2 GiB')
}

function number(option: string, value: number, right: string, least: number, most = 2 ** 31 - 1): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  throw bad(option, value, `give ${right}`)
}

function boolean(option: string, value: boolean): void {
  if (typeof value !== 'boolean') throw bad(option, value, 'give true or false')
}

function bad(option: string, value: unknown, advice: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `BridgeServer.start: ${option} is ${shown(value)}: ${advice}`, {
    details: { option },
  })
}

const badTls = badSecret

/** Says nothing of the value, which may be a secret. */
function badSecret(option: string, advice: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `BridgeServer.start: ${option} is not right: ${advice}`, {
    details: { option },
  })
}
