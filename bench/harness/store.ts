import { setTimeout } from 'node:timers/promises'
import type { Context, Variable } from '../../src/index.js'
import type { Absent, Actors, Remote } from '../peers/peer.js'
import { type Arm, type ArmOptions, cannot, expect, latency, libraryName, type Topic, throughput } from './arm.js'

/** A value somewhere, whose changes are told here. */
export interface Store {
  readonly by: string
  readonly set: (value: number) => unknown
  onChange: (value: number) => void
}

/** A variable of a context as a store, watched on this thread. */
export async function storeOf(context: Context): Promise<Store & { readonly variable: Variable<number> }> {
  const variable: Variable<number> = await context.define('x', 'integer', 0)
  const store = {
    by: libraryName,
    variable,
    set: (value: number) => variable.set(value),
    onChange: (_value: number) => {},
  }
  await variable.watch((_name, _previous, value) => store.onChange(value))
  return store
}

/** An actor that keeps a value and tells this of its changes, within the thread. */
export async function storeIn<Address>(actors: Actors<Address>): Promise<Store> {
  const values = new Map<string, number>()
  const actor = await actors.spawn((value) => {
    values.set('x', value)
    store.onChange(value)
  })
  const store = { by: actors.by, set: (value: number) => actors.send(actor, value), onChange: (_value: number) => {} }
  return store
}

/** The stores among the peers; of the others it is said why they are none. */
export function storesOf(peers: readonly (Remote | Absent)[], topic: Topic): Store[] {
  return peers.flatMap((peer): Store[] => {
    const why = 'why' in peer ? peer.why : peer.set
    if (typeof why !== 'string') return [peer as Store]
    cannot({ ...topic, by: peer.by }, why)
    return []
  })
}

/** From before a value is set to the moment the callback runs. `idle`: after so many milliseconds without work. */
export function setToCallback(
  topic: Topic,
  store: Store,
  { idle, ...options }: ArmOptions & { readonly idle?: number } = {},
): Arm {
  let serial = 0
  return latency(
    { ...topic, by: store.by },
    async (watch) => {
      const value = ++serial
      let calls = 0
      let seen: number | undefined
      const called = new Promise<void>((resolve) => {
        store.onChange = (changed) => {
          watch.stop()
          seen = changed
          calls++
          resolve()
        }
      })
      if (idle !== undefined) await setTimeout(idle)
      watch.start()
      const answered = store.set(value)
      await called
      await answered
      expect('value', seen, value)
      expect('calls', calls, 1)
    },
    options,
  )
}

/** Values set by `write`, so many of them, until the callback has seen the last one; the figure is of one of them. */
export function updates(
  topic: Topic,
  store: Store,
  pieces: number,
  write: (pieces: number) => unknown,
  options: ArmOptions = {},
): Arm {
  return throughput(
    { ...topic, by: store.by },
    pieces,
    async (watch) => {
      let calls = 0
      let sum = 0
      const all = new Promise<void>((resolve) => {
        store.onChange = (value) => {
          sum += value
          if (++calls === pieces) resolve()
        }
      })
      watch.start()
      const written = write(pieces)
      await all
      watch.stop()
      await written
      expect('calls', calls, pieces)
      expect('sum of the values', sum, (pieces * (pieces + 1)) / 2)
    },
    options,
  )
}
