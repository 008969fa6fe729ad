import { load } from './load.js'
import type { Actors } from './peer.js'

interface Event {
  readonly type: 'message'
  readonly value: number
  readonly reply: (answer: unknown) => void
}

interface Actor {
  start(): Actor
  send(event: Event): void
  stop(): Actor
}

interface Package {
  createActor(logic: object): Actor
  fromCallback(body: (scope: { receive(listener: (event: Event) => void): void }) => void): object
}

export function xstateActors(): Actors<Actor> {
  const { createActor, fromCallback } = load<Package>('xstate')
  const type = 'message'
  return {
    by: 'XState',
    spawn: async (handle) =>
      createActor(fromCallback(({ receive }) => receive(({ value, reply }) => handle(value, reply)))).start(),
    send: (actor, value) => actor.send({ type, value, reply: () => {} }),
    ask: (actor, value) => new Promise((reply) => actor.send({ type, value, reply })),
    end: (actor) => actor.stop(),
  }
}
