/** How fast a count grows, over the last second or so. */
export class Rate {
  readonly #points = [{ at: 0, count: 0 }]

  /** Takes the count at a time in seconds; returns the growth per second. */
  next(at: number, count: number): number {
    this.#points.push({ at, count })
    while (this.#points.length > 2 && at - (this.#points[0]?.at ?? at) > 1.5) this.#points.shift()
    const first = this.#points[0]
    return first === undefined || first.at >= at ? 0 : (count - first.count) / (at - first.at)
  }
}
