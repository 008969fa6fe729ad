import { Server } from '../../src/index.js'

/** Answers, or counts. */
export class Clerk extends Server {
  static override readonly module: string = import.meta.url
  #count = 0

  echo(value: number): number {
    return value
  }

  tell(_value: number): void {
    this.#count++
  }

  counted(): number {
    const count = this.#count
    this.#count = 0
    return count
  }
}

/** An account of a bank. */
export class Account extends Server<number> {
  static override readonly module: string = import.meta.url
  #balance = 0

  override init(balance: number): void {
    this.#balance = balance
  }

  deposit(amount: number): number {
    this.#balance += amount
    return this.#balance
  }

  withdraw(amount: number): number {
    this.#balance -= amount
    return this.#balance
  }
}
