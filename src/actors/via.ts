import { shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import { SharedMap, type SharedMapMemory } from '../threads/shared-map.js'
import type { ProcessTable } from './process-table.js'

/**
 * A key of a unique registry, used as a name: to spawn under, to send to, to call and to monitor. Made by
 * `registry.via(key)`; plain data, which may be sent in any message. Monitored when nobody has it, it gives a `DOWN` whose
 * `pid` describes it. Mirrors the `:via` tuple of `Registry`.
 */
export interface Via {
  readonly type: 'VIA'
  readonly registry: Pid
  readonly key: unknown
  /** The value of the entry that a process gets which is spawned under this name. */
  readonly value: unknown
  /** @internal The key's text, under which the holder stands in shared memory. */
  readonly text: string
  /** @internal */
  readonly table: SharedMapMemory
}

/** A name of a process: registered in the system, or a key of a registry. */
export type Name = string | Via

export function isVia(value: unknown): value is Via {
  if (typeof value !== 'object' || value === null) return false
  const { type, registry, text, table } = value as Partial<Via>
  const isRead = typeof text === 'string' && table?.buffer instanceof SharedArrayBuffer
  return type === 'VIA' && registry instanceof Pid && isRead
}

/** A name as messages show it. */
export function shownName(name: unknown): string {
  return isVia(name) ? `the key ${shown(name.key)} of ${name.registry}` : shown(name)
}

/**
 * Who holds the keys of a unique registry, in shared memory: the registry is the only writer, and any thread looks up
 * without a message. The dead hold nothing, whether or not the registry has heard of their death.
 */
export class HolderTable {
  readonly #map = SharedMap.create({ words: 3, buckets: 16_384 })

  get memory(): SharedMapMemory {
    return this.#map.memory
  }

  set(text: string, { raw }: Pid): void {
    this.#map.insert(text, raw)
  }

  delete(text: string): void {
    this.#map.delete(text)
  }
}

/** The live process that holds a key of a live registry. */
export function holderOf({ registry, table, text }: Via, processes: ProcessTable): Pid | undefined {
  const isHere = registry.node === processes.memory.node && processes.isAlive(registry)
  const words = isHere ? SharedMap.attach(table).read(text) : undefined
  if (words === undefined) return undefined
  const pid = Pid.fromRaw(registry.node, words as unknown as readonly [number, number, number])
  return processes.isAlive(pid) ? pid : undefined
}
