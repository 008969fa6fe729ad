import { load } from './load.js'
import type { Actors } from './peer.js'

type Message = { readonly value: number; readonly from?: object }

interface Package {
  start(): object
  spawn(parent: object, handle: (state: undefined, message: Message) => undefined, name: string): object
  dispatch(to: object, message: unknown): void
  query(to: object, message: (from: object) => Message, timeout: number): Promise<unknown>
  stop(actor: object): void
}

export function nactActors(): Actors<object> {
  const { start, spawn, dispatch, query, stop } = load<Package>('nact')
  const system = start()
  let serial = 0
  return {
    by: 'nact',
    async spawn(handle) {
      const body = (_state: undefined, { value, from }: Message) => {
        handle(value, (answer) => from && dispatch(from, answer))
        return undefined
      }
      // The names that it makes up are taken at random, and of many some are the same.
      return spawn(system, body, `actor-${++serial}`)
    },
    send: (actor, value) => dispatch(actor, { value }),
    ask: (actor, value) => query(actor, (from) => ({ value, from }), 5000),
    end: (actor) => stop(actor),
  }
}
