import { fileOf, load } from './load.js'
import type { Actors, Remote } from './peer.js'

interface Actor {
  send(topic: string, message: unknown): Promise<void>
  sendAndReceive(topic: string, message?: unknown): Promise<unknown>
  createChild(behaviour: object | string, options?: { readonly mode: string }): Promise<Actor>
  destroy(): Promise<void>
}

interface Package {
  createSystem(options: object): { rootActor(): Promise<Actor> }
}

const quiet = { debug() {}, info() {}, warn() {}, error: console.error }

const open = () => load<Package>('comedy').createSystem({ log: quiet, test: true })

/** An actor in a thread of its own, and one here that it tells of its changes. */
export class Comedy implements Remote {
  readonly by = 'comedy'
  onChange: (value: number) => void = () => {}
  readonly call: Remote['call']
  readonly tell: Remote['tell']
  readonly count: Remote['count']
  readonly set: Remote['set']

  private constructor(actor: Actor) {
    this.call = (value) => actor.sendAndReceive('call', value)
    this.tell = (value) => actor.send('tell', value)
    this.count = () => actor.sendAndReceive('counted') as Promise<number>
    this.set = (value) => actor.send('set', value)
  }

  static async open(): Promise<Comedy> {
    let child: Promise<Actor> | undefined
    let changed: (value: number) => void = () => {}
    class Front {
      initialize(self: Actor) {
        // With one more slash, as comedy marks an absolute path.
        child = self.createChild(`/${fileOf('comedy-worker.cjs').pathname}`, { mode: 'threaded' })
        return child
      }
      changed(value: number) {
        changed(value)
      }
    }
    await (await open().rootActor()).createChild(new Front())
    const peer = new Comedy((await child) as Actor)
    changed = (value) => peer.onChange(value)
    return peer
  }
}

/** The same within one thread. */
export async function comedyActors(): Promise<Actors<Actor>> {
  const root = await open().rootActor()
  return {
    by: 'comedy',
    spawn: (handle) =>
      root.createChild({
        tell: (message: number) => handle(message, () => {}),
        ask: (message: number) => new Promise((resolve) => handle(message, resolve)),
      }),
    send: (actor, message) => actor.send('tell', message),
    ask: (actor, message) => actor.sendAndReceive('ask', message),
    end: (actor) => actor.destroy(),
  }
}
