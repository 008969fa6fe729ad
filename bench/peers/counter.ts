import type { Counter } from '../harness/telling.js'
import type { Actors } from './peer.js'

/** An actor that counts what is above zero, and tells how much that was when it is asked anything else. */
export async function counterIn<Address>(actors: Actors<Address>): Promise<Counter> {
  let count = 0
  const actor = await actors.spawn((value, reply) => {
    if (value > 0) count++
    else {
      reply(count)
      count = 0
    }
  })
  return { tell: (value) => actors.send(actor, value), count: () => actors.ask(actor, 0) as Promise<number> }
}
