/**
 * A pattern of names, where `*` stands for any run of characters. Each part between two stars is looked for once, from
 * where the last one ended: a regular expression could be made to try for hours.
 */
export class Glob {
  readonly #first: string
  readonly #between: readonly string[]
  /** `undefined` without a star. */
  readonly #last: string | undefined

  constructor(pattern: string) {
    const [first = '', ...others] = pattern.split('*')
    this.#first = first
    this.#last = others.pop()
    this.#between = others
  }

  matches(name: string): boolean {
    if (this.#last === undefined) return name === this.#first
    if (!name.startsWith(this.#first)) return false
    let at = this.#first.length
    for (const part of this.#between) {
      const found = name.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return name.length - at >= this.#last.length && name.endsWith(this.#last)
  }
}
