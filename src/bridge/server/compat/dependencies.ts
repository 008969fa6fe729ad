import { BeamlineError } from '../../../errors.js'
import type { VariableInfo } from '../../../variables/change.js'
import type { Watch } from '../../../variables/watch.js'
import type { Session } from '../session.js'

/** A variable by what never changes of it. */
type Node = Pick<VariableInfo, 'id' | 'name'>

/** Which variables depend on which, in one session. */
export class DependencyGraph {
  /** What each depends on, by id. */
  readonly #sources = new Map<string, Map<string, Node>>()

  /** The way from `to` back to `from` that an edge between them would close, by names; none when it would not. */
  cycle(from: Node, to: Node): string[] | undefined {
    const seen = new Set<string>()
    const walk = (node: Node, way: readonly string[]): string[] | undefined => {
      if (node.id === to.id) return [...way, node.name]
      if (seen.has(node.id)) return undefined
      seen.add(node.id)
      for (const source of this.#sources.get(node.id)?.values() ?? []) {
        const found = walk(source, [...way, node.name])
        if (found !== undefined) return found
      }
      return undefined
    }
    return walk(from, [])?.reverse()
  }

  add(from: Node, to: Node): void {
    const sources = this.#sources.get(to.id) ?? new Map<string, Node>()
    this.#sources.set(to.id, sources.set(from.id, from))
  }
}

/** Makes a value of the values that it depends on, by their names. */
export type Derive = (values: Readonly<Record<string, unknown>>) => unknown

const numbersOf = (values: Readonly<Record<string, unknown>>): (number | bigint)[] =>
  Object.entries(values).map(([name, value]) => {
    if (typeof value === 'number' || typeof value === 'bigint') return value
    throw new BeamlineError('INVALID_TYPE', `${name} is no number`, { details: { name } })
  })

/** Integers that are held as bigints are counted exactly, as long as all are integers. */
function fold(
  values: (number | bigint)[],
  plus: (a: number, b: number) => number,
  exact: (a: bigint, b: bigint) => bigint,
) {
  const isExact = values.some((value) => typeof value === 'bigint') && values.every((value) => isWhole(value))
  return isExact ? values.map(BigInt).reduce(exact) : values.map(Number).reduce(plus)
}

const isWhole = (value: number | bigint): boolean => typeof value === 'bigint' || Number.isInteger(value)

const sum = (values: (number | bigint)[]) =>
  fold(
    values,
    (a, b) => a + b,
    (a, b) => a + b,
  )

const first = (values: (number | bigint)[], isBefore: (a: number | bigint, b: number | bigint) => boolean) =>
  values.reduce((best, value) => (isBefore(value, best) ? value : best))

/** The kinds of dependency that compute. */
const builtIn: Readonly<Record<string, Derive>> = {
  copy: (values) => Object.values(values)[0],
  sum: (values) => sum(numbersOf(values)),
  product: (values) =>
    fold(
      numbersOf(values),
      (a, b) => a * b,
      (a, b) => a * b,
    ),
  min: (values) => first(numbersOf(values), (a, b) => a < b),
  max: (values) => first(numbersOf(values), (a, b) => a > b),
  mean: (values) => Number(sum(numbersOf(values))) / Object.keys(values).length,
}

/** A variable that is computed from others whenever one of them changes. */
class Derivation {
  readonly type: string
  readonly #derive: Derive
  readonly #session: Session
  readonly #to: Node
  readonly #sources = new Map<string, Node>()
  #watch: Watch | undefined
  /** Some source has changed since the last computation began. */
  #stale = false
  #running: Promise<void> | undefined

  constructor(session: Session, to: Node, type: string, derive: Derive) {
    this.#session = session
    this.#to = to
    this.type = type
    this.#derive = derive
  }

  /** @throws BeamlineError when the value cannot be computed with it, or is none for the variable: it is not added then */
  async add(from: Node): Promise<void> {
    if (this.#sources.has(from.id)) return
    if (this.type === 'copy' && this.#sources.size > 0)
      throw new BeamlineError('INVALID_TYPE', `${this.#to.name} is a copy already: copy from one variable`)
    this.#sources.set(from.id, from)
    try {
      await this.#compute()
      await this.#rewatch()
    } catch (error) {
      this.#sources.delete(from.id)
      throw error
    }
    // What was written while the watches changed.
    this.#changed()
  }

  async #rewatch(): Promise<void> {
    const names = [...this.#sources.values()].map(({ name }) => name)
    const before = this.#watch
    this.#watch = await this.#session.context.watch(
      [...names, this.#to.name],
      (name, _previous, _value, { deleted }) => this.#heard(name, deleted === true),
      { delivery: 'latest' },
    )
    await before?.stop()
  }

  /** Of itself it only wants to hear that it is gone: another of its name is another variable. */
  #heard(name: string, isDeleted: boolean): void {
    if (name === this.#to.name) return isDeleted ? this.#sources.clear() : undefined
    if (isDeleted) for (const [id, source] of this.#sources) if (source.name === name) this.#sources.delete(id)
    this.#changed()
  }

  #changed(): void {
    this.#stale = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** What fails is told to nobody who waits; the next change is another chance. */
  async #run(): Promise<void> {
    while (this.#stale && this.#sources.size > 0 && !this.#session.signal.aborted) {
      this.#stale = false
      await this.#compute().catch((error: Error) => this.#warn(error))
    }
  }

  #warn(error: Error): void {
    // One is gone, which is about to be heard here.
    if (this.#session.signal.aborted || (error instanceof BeamlineError && error.code === 'NOT_FOUND')) return
    const { message } = error
    const text = `session ${this.#session.id}: ${this.#to.name} could not be derived: ${message}`
    process.emitWarning(text, { code: 'BEAMLINE_DERIVED' })
  }

  async #compute(): Promise<void> {
    const { context } = this.#session
    const values = await context.getMany([...this.#sources.values()].map(({ name }) => name))
    await context.set(this.#to.name, await this.#derive(values), { source: 'derived' })
  }
}

/** The dependencies of one session's variables, as long as it is there. */
export class Dependencies {
  readonly #session: Session
  readonly #graph = new DependencyGraph()
  readonly #derivations = new Map<string, Derivation>()
  /** One is added at a time, or two could close a cycle together. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(session: Session) {
    this.#session = session
  }

  /**
   * @param registered what the host computes, if it has registered anything under the name of the type
   * @throws BeamlineError INVALID_TYPE for a cycle, and for what cannot be computed
   */
  add(from: Node, to: Node, type: string, registered: Derive | undefined): Promise<void> {
    const added = this.#last.then(() => this.#add(from, to, type, registered))
    this.#last = added.catch(() => {})
    return added
  }

  async #add(from: Node, to: Node, type: string, registered: Derive | undefined): Promise<void> {
    const cycle = this.#graph.cycle(from, to)
    if (cycle !== undefined) {
      const text = `cycle: ${[...cycle, to.name].join(' -> ')}: no variable can depend on itself`
      throw new BeamlineError('INVALID_TYPE', text, { details: { cycle } })
    }
    const derive = registered ?? (Object.hasOwn(builtIn, type) ? builtIn[type] : undefined)
    if (derive !== undefined) await this.#derive(from, to, type, derive)
    this.#graph.add(from, to)
  }

  async #derive(from: Node, to: Node, type: string, derive: Derive): Promise<void> {
    const before = this.#derivations.get(to.id)
    if (before !== undefined && before.type !== type)
      throw new BeamlineError('INVALID_TYPE', `${to.name} is computed by ${before.type} already, not by ${type}`)
    const derivation = before ?? new Derivation(this.#session, to, type, derive)
    await derivation.add(from)
    this.#derivations.set(to.id, derivation)
  }
}
