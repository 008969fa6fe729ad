import { createRequire } from 'node:module'
import type { Absent } from './peer.js'

/** Where the package is that only benchmarks need; the built code has none of its files. */
const home = new URL('../../../bench/peers/', import.meta.url)
const require = createRequire(new URL('package.json', home))

/** What a peer's package exports; its types are what we use of it. */
export const load = <T>(name: string): T => require(name) as T

/** A file that runs in a thread of a peer, and finds the peer by its own place. */
export const fileOf = (name: string): URL => new URL(name, home)

/** A peer, or why it is not there: nobody has to be, for the others to be measured. */
export async function present<T>(by: string, open: () => T | Promise<T>): Promise<T | Absent> {
  try {
    return await open()
  } catch (error) {
    const [message] = (error as Error).message.split('\n')
    return { by, why: /^Cannot find module '[\w.-]+'$/.test(String(message)) ? 'not installed' : `fails: ${message}` }
  }
}
