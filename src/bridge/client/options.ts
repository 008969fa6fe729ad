import { BeamlineError, shown } from '../../errors.js'
import type { Pid } from '../../threads/pid.js'

/** Keys and certificates as PEM. */
export interface BridgeTls {
  /** Who may have signed the server's certificate; whom the system trusts unless told. */
  readonly ca?: string | Uint8Array
  /** The client's own, where the server asks for one. */
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  /** The name in the server's certificate, when the address has another. */
  readonly serverName?: string
}

export interface BridgeOptions {
  /** Without it the connection is not encrypted. */
  readonly tls?: BridgeTls
  /** What the server knows the client by. It is sent as it is, also on a connection without `tls`. */
  readonly token?: string
  /** Milliseconds up to which it waits before it connects again: `base` at first, twice as many each time, `cap` at most; 100 and 10,000. */
  readonly backoff?: { readonly base?: number; readonly cap?: number }
  /** Milliseconds between two signs of life; after three without one from the server the connection is given up. 5000, to the same machine 2000. */
  readonly heartbeat?: number
  /** What becomes of a command while there is no connection: it waits for one, or is rejected with UNAVAILABLE. `wait`. */
  readonly whenOffline?: 'wait' | 'reject'
  /** Milliseconds for the first connection; 5000. */
  readonly timeout?: number
}

/** What the process of a bridge is made with. */
export interface BridgeArgs {
  readonly address: string
  readonly tls: BridgeTls | undefined
  readonly token: string | undefined
  readonly backoff: { readonly base: number; readonly cap: number }
  readonly heartbeat: number
  readonly whenOffline: 'wait' | 'reject'
  readonly timeout: number
  /** The registered name of the bridge. */
  readonly name: string
  /** The same for each process of one bridge. */
  readonly clientId: string
  /** Who is told how it stands, on the thread of the handle. */
  readonly observer: Pid
}

/** @throws BeamlineError INVALID_TYPE for what is no address or no option */
export function argsOf(address: string, options: BridgeOptions): Omit<BridgeArgs, 'name' | 'clientId' | 'observer'> {
  if (typeof options !== 'object' || options === null) throw bad('options', options, 'give an object')
  checkAddress(address)
  const { tls, token, backoff = {}, whenOffline = 'wait', timeout = 5000 } = options
  const { heartbeat = isNear(address) ? 2000 : 5000 } = options
  if (tls !== undefined) checkTls(tls)
  if (token !== undefined && !(typeof token === 'string' && /^[\x21-\x7e]+$/.test(token)))
    throw new BeamlineError('INVALID_TYPE', 'Bridge.connect: token is none: give a string without spaces')
  if (typeof backoff !== 'object' || backoff === null) throw bad('backoff', backoff, 'give { base, cap }')
  const { base = 100, cap = Math.max(10_000, base) } = backoff
  duration('backoff.base', base)
  if (duration('backoff.cap', cap) < base) throw bad('backoff.cap', cap, 'give milliseconds, not less than base')
  if (whenOffline !== 'wait' && whenOffline !== 'reject')
    throw bad('whenOffline', whenOffline, "give 'wait' or 'reject'")
  duration('heartbeat', heartbeat)
  duration('timeout', timeout)
  return { address, tls, token, backoff: { base, cap }, heartbeat, whenOffline, timeout }
}

function checkAddress(address: unknown): void {
  const right = "give 'host:port' or 'unix:/path'"
  if (typeof address !== 'string') throw bad('address', address, right)
  if (/^unix:.+/.test(address)) return
  const port = Number(/^(?:[^:/\s]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(address)?.[1])
  if (!(port > 0 && port < 65_536)) throw bad('address', address, right)
}

/** Whether both ends are on one machine. */
function isNear(address: string): boolean {
  return /^(unix:|127\.|localhost:|\[::1\])/.test(address)
}

function checkTls(tls: BridgeTls): void {
  if (typeof tls !== 'object' || tls === null) throw bad('tls', tls, 'give { ca, cert, key }')
  for (const field of ['ca', 'cert', 'key'] as const) {
    const value = tls[field]
    if (value === undefined || typeof value === 'string' || value instanceof Uint8Array) continue
    throw new BeamlineError('INVALID_TYPE', `Bridge.connect: tls.${field} is none: give PEM, as text or bytes`)
  }
  if ((tls.cert === undefined) !== (tls.key === undefined))
    throw new BeamlineError('INVALID_TYPE', 'Bridge.connect: tls.cert and tls.key belong together: give both or none')
  if (tls.serverName !== undefined && typeof tls.serverName !== 'string')
    throw bad('tls.serverName', tls.serverName, 'give a string')
}

function duration(field: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value < 2 ** 31) return value
  throw bad(field, value, 'give milliseconds above 0')
}

function bad(field: string, value: unknown, advice: string): BeamlineError {
  return new BeamlineError('INVALID_TYPE', `Bridge.connect: ${field} is ${shown(value)}: ${advice}`, {
    details: { field },
  })
}
