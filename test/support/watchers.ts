import { Call, isDown } from '../../src/actors/messages.js'
import type { ActorSystem, ExitReason, Pid, Process } from '../../src/index.js'
import { WatcherPosition } from '../../src/variables/watcher-position.js'
import { type WatcherSpec, watcherChild } from '../../src/variables/watcher-spec.js'
import type { Fate, Told } from '../fixtures/watcher-callbacks.js'

/** Hears what the callbacks of watchers are told, and has them crash. */
export class Teller implements AsyncDisposable {
  readonly told: Told[] = []
  /** What becomes of the next callback with this value; of later ones, nothing. */
  readonly fates = new Map<unknown, Fate>()
  readonly #system: ActorSystem
  #pid!: Pid

  private constructor(system: ActorSystem) {
    this.#system = system
  }

  static async start(system: ActorSystem): Promise<Teller> {
    const teller = new Teller(system)
    const listen = async (self: Process): Promise<void> => {
      for await (const message of self.messages()) teller.#hear(self, message)
    }
    teller.#pid = await system.spawn(listen, undefined, { name: 'teller' })
    return teller
  }

  #hear(self: Process, message: unknown): void {
    const told = (message instanceof Call ? message.request : message) as Told
    this.told.push(told)
    if (!(message instanceof Call)) return
    self.reply(message.from, this.fates.get(told.value) ?? 'go on')
    this.fates.delete(told.value)
  }

  get values(): unknown[] {
    return this.told.map(({ value }) => value)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#system.self.exit(this.#pid, 'kill')
  }
}

/** Starts a watcher, and starts it again whenever it crashes: as a supervisor would. */
export class Keeper implements AsyncDisposable {
  readonly reasons: ExitReason[] = []
  readonly position: WatcherPosition
  readonly #system: ActorSystem
  #keeper!: Pid
  #pid!: Pid

  private constructor(system: ActorSystem, position: WatcherPosition) {
    this.#system = system
    this.position = position
  }

  static async start(system: ActorSystem, spec: WatcherSpec): Promise<Keeper> {
    const { start } = watcherChild(spec)
    const keeper = new Keeper(system, new WatcherPosition(start.args.position, system.self.pid.node))
    await new Promise<void>((resolve, reject) => {
      const keep = async (self: Process): Promise<void> => {
        // One that is being started while the keeper is killed dies with it.
        self.trapExit = true
        for (;;) {
          const options = { ...start.options, monitor: true, link: true }
          const begun = self.spawn(start.entry, start.args, options)
          begun.then(() => resolve(), reject)
          keeper.#pid = await begun
          const { reason } = await self.receive(isDown)
          keeper.reasons.push(reason)
          if (reason === 'normal') return
        }
      }
      system.spawn(keep).then((pid) => {
        keeper.#keeper = pid
      }, reject)
    })
    return keeper
  }

  get pid(): Pid {
    return this.#pid
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { self } = this.#system
    self.exit(this.#keeper, 'kill')
    self.exit(this.#pid, 'kill')
  }
}
