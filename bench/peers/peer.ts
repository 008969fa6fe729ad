/** What a peer does, or why it cannot. */
type Ability<F> = F | string

/** A worker thread that somebody's library runs for us, and what it is asked to do there. */
export interface Remote {
  readonly by: string
  /** Gives a value and gets it back. */
  readonly call: Ability<(value: number) => Promise<unknown>>
  /** Gives a value and wants no answer. */
  readonly tell: Ability<(value: number) => unknown>
  /** How many were told since it was last asked. */
  readonly count: () => Promise<number>
  /** Stores a value there; the thread then has {@link onChange} called here. */
  readonly set: Ability<(value: number) => unknown>
  onChange: (value: number) => void
}

/** A library's actors within one thread. */
export interface Actors<Address = unknown> {
  readonly by: string
  /** Starts one that is given each message, and what answers it when somebody asked. */
  spawn(handle: (message: number, reply: (value: unknown) => void) => void): Promise<Address>
  send(to: Address, message: number): unknown
  ask(to: Address, message: number): Promise<unknown>
  end(address: Address): unknown
}

/** Somebody who is not there. */
export interface Absent {
  readonly by: string
  readonly why: string
}
