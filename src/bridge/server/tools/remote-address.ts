import { resolve } from 'node:path/posix'
import { Glob } from '../../../variables/glob.js'
import { type Address, formatAddress, isLocal, parseAddress } from '../address.js'

const isAddress = (text: string | undefined): text is string =>
  text !== undefined && (/^unix:\/?\S+$/.test(text) || /^(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}$/.test(text))

/** The first of some texts that is an address. */
export function addressIn(texts: readonly (string | undefined)[]): Address | undefined {
  const text = texts.find(isAddress)
  try {
    return text === undefined ? undefined : parseAddress(text)
  } catch {
    return undefined
  }
}

/**
 * Whether a tool may be called there: whoever registers it could have the server call anything that only the server
 * reaches. Workers at a loopback address may; others where `allowed` has their host, or `unix:` and the path, as a pattern.
 */
export function mayBeCalled(address: Address, allowed: readonly string[]): boolean {
  if (address.kind === 'tcp') return isLocal(address) || matches(address.host, allowed, false)
  // What leads out of an allowed folder is not in it.
  return address.path === resolve(address.path) && matches(formatAddress(address), allowed, true)
}

const matches = (text: string, allowed: readonly string[], isUnix: boolean): boolean =>
  allowed.some((pattern) => pattern.startsWith('unix:') === isUnix && new Glob(pattern).matches(text))
