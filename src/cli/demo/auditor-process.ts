import { type Context, Server } from '../../index.js'
import { attachFigures, type Figures } from './figures.js'
import { Ledger, type Tally } from './ledger.js'

/** A server that watches every variable and checks that no change is lost or comes twice. */
export class Auditor extends Server {
  static override readonly module = import.meta.url
  readonly #ledger = new Ledger()
  #figures: Context<Figures> | undefined

  override async init(): Promise<void> {
    this.#figures = attachFigures(this.self)
    const names = (await this.#figures.list()).map(({ name }) => name as keyof Figures)
    await this.#figures.watch(names, (name, _previous, _value, meta) => this.#ledger.enter(name, meta), {
      includeInitial: true,
    })
  }

  /** What was counted so far. */
  tally(): Tally {
    return this.#ledger.tally
  }

  /** Closes the books: once its own write is answered, this thread's watches have been told all that came before it. */
  async close(): Promise<Tally | undefined> {
    const written = await this.#figures?.set('audited', this.#ledger.tally.delivered, { source: 'auditor' })
    const variables = await this.#figures?.list()
    return written && variables && this.#ledger.balance(variables, written.revision)
  }
}
