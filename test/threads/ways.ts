import { copy, moved, type Payload, pack, unpack } from '../../src/threads/payload.js'
import type { suite } from '../harness.js'

/** What one of the ways makes of `value`, typed like it. */
export type Carry = <T>(value: T) => T

/** The two ways a value goes to another process: over a port to another thread, or as a copy on this one. */
export const ways: readonly [name: string, carry: Carry][] = [
  ['across threads', (value) => unpack(moved(pack(value)) as Payload) as typeof value],
  ['on one thread', (value) => copy(value) as typeof value],
]

/** Tests both ways: a program must not change its meaning when a process moves to another thread. */
export const eachWay =
  (test: ReturnType<typeof suite>) =>
  (title: string, body: (carry: Carry) => void): void => {
    for (const [way, carry] of ways) test(`${title} (${way})`, () => body(carry))
  }
