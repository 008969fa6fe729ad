import type { BridgeServerOptions } from '../../../src/index.js'
import { Child } from './child.js'
import type { Told } from './history.js'

export interface ServerSpec {
  readonly options: BridgeServerOptions
  /** Sessions to begin with, and their integer variables, each 0. */
  readonly sessions: Readonly<Record<string, readonly string[]>>
}

export type ServerRequest =
  | { readonly kind: 'set'; readonly session: string; readonly name: string; readonly value: number }
  /** Writes so many values, counting up from `from`, round robin over the names. */
  | {
      readonly kind: 'burst'
      readonly session: string
      readonly names: readonly string[]
      readonly from: number
      readonly count: number
    }
  | { readonly kind: 'values'; readonly session: string }
  | { readonly kind: 'sessions' }
  | { readonly kind: 'stats' }
  | { readonly kind: 'memory' }
  | { readonly kind: 'killBridge' }
  /** The bridge ends, by no wish of its server's. */
  | { readonly kind: 'endBridge' }
  | { readonly kind: 'stop'; readonly grace: number }

const program = new URL('../fixtures/server-child.js', import.meta.url)

/** A server in a program of its own, which can be killed, frozen, and started again at the same address. */
export class ChildServer implements AsyncDisposable {
  readonly #spec: ServerSpec
  #child: Child<ServerRequest>
  readonly address: string

  private constructor(spec: ServerSpec, child: Child<ServerRequest>, address: string) {
    this.#spec = { ...spec, options: { ...spec.options, address } }
    this.#child = child
    this.address = address
  }

  static async start(spec: ServerSpec, before: readonly URL[] = []): Promise<ChildServer> {
    const [child, address] = await Child.start<ServerRequest>(program, spec, before)
    return new ChildServer(spec, child, address as string)
  }

  get child(): Child<ServerRequest> {
    return this.#child
  }

  /** Another life at the same address; `sessions` are what it begins with, none unless told. */
  async restart(sessions: ServerSpec['sessions'] = {}): Promise<void> {
    const [child] = await Child.start<ServerRequest>(program, { ...this.#spec, sessions })
    this.#child = child
  }

  kill(): Promise<void> {
    return this.#child.kill()
  }

  /** Whether it has ended without being asked to. */
  get isGone(): boolean {
    return this.#child.isGone
  }

  async values(session: string): Promise<Record<string, Told>> {
    return (await this.#child.ask({ kind: 'values', session })) as Record<string, Told>
  }

  async stats(): Promise<Record<string, number>> {
    return (await this.#child.ask({ kind: 'stats' })) as Record<string, number>
  }

  /** Bytes of the whole program, after collecting garbage on its main thread. */
  async memory(): Promise<number> {
    return (await this.#child.ask({ kind: 'memory' })) as number
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child.kill()
  }
}
