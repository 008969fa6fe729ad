/** A map that takes no memory until something is in it, as most processes have no links, monitors or open calls. */
export class LazyMap<V> {
  #map: Map<string, V> | undefined

  get size(): number {
    return this.#map?.size ?? 0
  }

  get(key: string): V | undefined {
    return this.#map?.get(key)
  }

  has(key: string): boolean {
    return this.#map?.has(key) ?? false
  }

  set(key: string, value: V): void {
    this.#map ??= new Map()
    this.#map.set(key, value)
  }

  delete(key: string): boolean {
    return this.#map?.delete(key) ?? false
  }

  /** The entries at this moment: the map may change while they are walked through. */
  entries(): [string, V][] {
    return this.#map === undefined ? [] : [...this.#map]
  }

  /** The values at this moment. */
  values(): V[] {
    return this.#map === undefined ? [] : [...this.#map.values()]
  }
}
