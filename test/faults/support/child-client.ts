import type { BridgeOptions } from '../../../src/index.js'
import { Child } from './child.js'
import type { Operation, WatchHistory } from './history.js'

export interface ClientSpec {
  readonly client: string
  readonly address: string
  readonly options: BridgeOptions
  readonly session: string
}

export type ClientRequest =
  | { readonly kind: 'watch'; readonly names: readonly string[] }
  /** One atomic write of one value to all the names. */
  | { readonly kind: 'write'; readonly names: readonly string[]; readonly value: number }
  | { readonly kind: 'take' }
  /** How the bridge stands, and how often it was otherwise. */
  | { readonly kind: 'state' }
  /** Its thread does nothing else for so long. */
  | { readonly kind: 'block'; readonly ms: number }

export interface Taken {
  readonly operations: readonly Operation[]
  readonly watches: readonly WatchHistory[]
}

const program = new URL('../fixtures/client-child.js', import.meta.url)

/** A client in a program of its own, which can be killed and frozen. */
export class ChildClient implements AsyncDisposable {
  readonly child: Child<ClientRequest>

  private constructor(child: Child<ClientRequest>) {
    this.child = child
  }

  static async start(spec: ClientSpec, before: readonly URL[] = []): Promise<ChildClient> {
    const [child] = await Child.start<ClientRequest>(program, spec, before)
    return new ChildClient(child)
  }

  async watch(names: readonly string[]): Promise<void> {
    await this.child.ask({ kind: 'watch', names })
  }

  async write(names: readonly string[], value: number): Promise<number | undefined> {
    return (await this.child.ask({ kind: 'write', names, value })) as number | undefined
  }

  async take(): Promise<Taken> {
    return (await this.child.ask({ kind: 'take' })) as Taken
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.child.kill()
  }
}
