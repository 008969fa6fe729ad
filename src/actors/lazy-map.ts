/** A map that takes no memory until something is in it, as most processes have no links, monitors or open calls. */
export class LazyMap<K, V> {
  #map: Map<K, V> | undefined

  get size(): number {
    return this.#map?.size ?? 0
  }

  get(key: K): V | undefined {
    return this.#map?.get(key)
  }

  has(key: K): boolean {
    return this.#map?.has(key) ?? false
  }

  set(key: K, value: V): void {
    this.#map ??= new Map()
    this.#map.set(key, value)
  }

  delete(key: K): boolean {
    return this.#map?.delete(key) ?? false
  }

  /** The entries at this moment: the map may change while they are walked through. */
  entries(): [K, V][] {
    return this.#map === undefined ? [] : [...this.#map]
  }

  /** The values at this moment. */
  values(): V[] {
    return this.#map === undefined ? [] : [...this.#map.values()]
  }
}
