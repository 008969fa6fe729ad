import { type Context, Server } from '../../index.js'
import { attachFigures, type Figures } from './figures.js'
import { Ledger, type Tally } from './ledger.js'

/** A server that watches every variable and checks that no change is lost or comes twice. */
export class Auditor extends Server {
  static override readonly module = import.meta.url
  readonly #ledger = new Ledger()
  #figures!: Context<Figures>

  override async init(): Promise<void> {
    this.#figures = attachFigures(this.self)
    const names = (await this.#figures.list()).map(({ name }) => name as keyof Figures)
    await this.#figures.watch(names, (name, _previous, _value, meta) => this.#ledger.enter(name, meta), {
      includeInitial: true,
    })
  }

  /** Compares what was told with what there is: once its own write is answered, all before that has been told here. */
  async audit(): Promise<Tally> {
    const { revision } = await this.#figures.set('audited', this.#ledger.delivered, { source: 'auditor' })
    return this.#ledger.balance(await this.#figures.list(), revision)
  }
}
