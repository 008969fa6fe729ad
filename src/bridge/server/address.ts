import { isIPv4, isIPv6 } from 'node:net'
import { BeamlineError, shown } from '../../errors.js'

/** Where a server listens. */
export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/** What a socket's path may have at most, in bytes. */
const LONGEST_PATH = 107

/** @throws BeamlineError INVALID_TYPE for what is no address */
export function parseAddress(text: string): Address {
  if (typeof text !== 'string') throw noAddress(text)
  if (text.startsWith('unix:')) return unixAddress(text)
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:[\]/]*)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? (plain === '' ? '127.0.0.1' : plain)
  if (host === undefined || port > 65_535 || (bracketed !== undefined && !isIPv6(bracketed))) throw noAddress(text)
  return { kind: 'tcp', host, port }
}

function unixAddress(text: string): Address {
  // As gRPC's clients write it: unix:path, unix:/path and unix:///path.
  const path = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
  if (path === '' || path.includes('\0')) throw noAddress(text)
  const length = Buffer.byteLength(path)
  if (length <= LONGEST_PATH) return { kind: 'unix', path }
  const advice = `is ${length} bytes long, and a socket's path has at most ${LONGEST_PATH}: give a shorter path`
  throw new BeamlineError('INVALID_TYPE', `address: ${shown(path)} ${advice}`, { details: { option: 'address' } })
}

export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`
}

/** Whether only this machine reaches it. */
export function isLocal(address: Address): boolean {
  if (address.kind === 'unix') return true
  const { host } = address
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

function noAddress(text: unknown): BeamlineError {
  const message = `address: ${shown(text)} is none: give 'host:port', ':0' for any free port, or 'unix:/path'`
  return new BeamlineError('INVALID_TYPE', message, { details: { option: 'address' } })
}
