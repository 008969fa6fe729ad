/** A switch that turns on at `on` or more and off below `off`: what lies between leaves it as it is. */
export class Hysteresis {
  readonly #on: number
  readonly #off: number
  #raised = false

  constructor({ on, off }: { readonly on: number; readonly off: number }) {
    this.#on = on
    this.#off = off
  }

  get raised(): boolean {
    return this.#raised
  }

  /** Takes the next value; true when the switch has turned. */
  turns(value: number): boolean {
    const raised = this.#raised ? value >= this.#off : value >= this.#on
    const turned = raised !== this.#raised
    this.#raised = raised
    return turned
  }
}
