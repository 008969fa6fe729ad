import type { ProcessFn } from '../../src/actors/behaviour.js'
import { Call, type From } from '../../src/actors/messages.js'
import type { Process } from '../../src/actors/process.js'
import type { InitArgs, Server, ServerClass } from '../../src/actors/server.js'
import type { ServerRef } from '../../src/actors/server-ref.js'
import type { SpawnOptions } from '../../src/actors/spawner.js'
import { ActorSystem, type SystemOptions } from '../../src/actors/system.js'
import type { Pid } from '../../src/threads/pid.js'
import { type Heard, type Order, puppet } from '../fixtures/puppet.js'
import { assert, eventually, suite } from '../harness.js'

/** Where a process of a test runs, as seen from the test's own process, which is on main. */
export const places = ['same thread', 'scheduler thread', 'isolated'] as const
export type Place = (typeof places)[number]

/** Milliseconds: far more than anything takes here, as the machine may be busy with other tests. */
const patience = 20_000

/** A process that does what the test tells it to. */
export class Puppet {
  readonly pid: Pid
  readonly #self: Process

  constructor(self: Process, pid: Pid) {
    this.#self = self
    this.pid = pid
  }

  /** Lets it make a move and waits until it is made. */
  do<T = unknown>(move: string, ...args: unknown[]): Promise<T> {
    return this.#self.call(this.pid, { move, args } satisfies Order, { timeout: patience }) as Promise<T>
  }

  /** Lets it link itself to another puppet, and waits until that one knows. */
  async linkTo({ pid }: Puppet): Promise<void> {
    await this.do('link', pid)
    await this.fence(pid)
  }

  /** Waits until whatever it has sent to another puppet has arrived there. */
  async fence(pid: Pid): Promise<void> {
    await this.do('call', pid, { move: 'ref', args: [] } satisfies Order)
  }

  /** Tells it to make a move and does not wait: for moves that it does not survive. */
  tell(move: string, ...args: unknown[]): void {
    this.#self.send(this.pid, { told: { move, args } satisfies Order })
  }
}

/** One test's own process and the puppets it plays with. */
export class Stage {
  readonly system: ActorSystem
  readonly self: Process
  readonly #spawned: Pid[] = []

  constructor(system: ActorSystem, self: Process) {
    this.system = system
    this.self = self
  }

  async puppet(place: Place = 'same thread', options: SpawnOptions = {}): Promise<Puppet> {
    return new Puppet(this.self, await this.spawn(place, puppet, this.self.pid, options))
  }

  /** Spawns a fixture: as a closure on this thread, else by the name of the export in its module. */
  async spawn<A>(
    place: Place,
    fixture: ProcessFn<A>,
    args: A,
    options: SpawnOptions = {},
    module = 'puppet',
  ): Promise<Pid> {
    const thread = place === 'isolated' ? 'isolated' : 0
    const entry = { module: new URL(`../fixtures/${module}.js`, import.meta.url), export: fixture.name }
    const pid = await (place === 'same thread'
      ? this.self.spawn(fixture, args, options)
      : this.self.spawn(entry, args, { thread, ...options }))
    this.#spawned.push(pid)
    return pid
  }

  /** Starts a server of the test's process. */
  async start<S extends Server<never>>(
    place: Place,
    type: ServerClass<S>,
    args: InitArgs<S>,
    options: SpawnOptions = {},
  ): Promise<ServerRef<S>> {
    const thread = place === 'isolated' ? 'isolated' : place === 'same thread' ? 'main' : 0
    const server = await this.self.start(type, args, { thread, ...options })
    this.#spawned.push(server.pid)
    return server
  }

  /** The next message. */
  hear<M = unknown>(): Promise<M> {
    return this.self.receive<M>(undefined, { timeout: patience })
  }

  /** Waits until somebody calls; the answer goes to {@link Process.reply}. */
  async called(): Promise<From> {
    const isCall = (message: unknown): message is Call => message instanceof Call
    return (await this.self.receive(isCall, { timeout: patience })).from
  }

  /** What the puppet hears next, as it reports. */
  async heardBy({ pid }: { readonly pid: Pid }): Promise<unknown> {
    const isReport = (message: unknown): message is Heard => (message as Heard | null)?.by?.equals(pid) ?? false
    return (await this.self.receive(isReport, { timeout: patience })).heard
  }

  /** The messages that wait now, in order. */
  async rest(): Promise<unknown[]> {
    const found: unknown[] = []
    for (;;) {
      const waiting = await this.self.receive(undefined, { timeout: 0 }).then(
        (message) => ({ message }),
        () => undefined,
      )
      if (waiting === undefined) return found
      found.push(waiting.message)
    }
  }

  /** The reason in the `DOWN` of a process. */
  async reasonOf(pid: Pid): Promise<unknown> {
    const isItsDown = (message: unknown): message is { reason: unknown } => {
      const { type, pid: dead } = message as { type?: unknown; pid?: unknown }
      return type === 'DOWN' && pid.equals(dead)
    }
    return (await this.self.receive(isItsDown, { timeout: patience })).reason
  }

  /** A pid whose process is dead. */
  async dead(place: Place = 'same thread'): Promise<Pid> {
    const one = await this.puppet(place, { monitor: true })
    one.tell('exitWith', 'normal')
    await this.reasonOf(one.pid)
    return one.pid
  }

  /** Ends what the test has spawned. */
  async clear(killer: Process): Promise<void> {
    for (const pid of this.#spawned) killer.exit(pid, 'kill')
    await eventually(() => this.#spawned.every((pid) => !this.system.isAlive(pid)))
  }
}

type Scene = (stage: Stage, place: Place) => Promise<void>

/** A suite whose tests run each in a process of its own, in one system. */
export function stages(name: string, options: SystemOptions = {}, timeout = 60_000) {
  const test = suite(name, { timeout })
  let system: ActorSystem
  test.before(async () => {
    system = await ActorSystem.start({ threads: 2, ...options })
  })
  test.after(async () => {
    await system.stop()
    assertNothingLeft(system)
  })
  const play = (scene: Scene, place: Place) => onStage(system, (stage) => scene(stage, place))
  return {
    test: (title: string, scene: Scene): void => test(title, () => play(scene, 'same thread')),
    /** The scene with its other process in each place. */
    each: (title: string, scene: Scene, among: readonly Place[] = places): void => {
      for (const place of among) test(`${title} (${place})`, () => play(scene, place))
    },
    run: () => test.run(),
  }
}

/** Nothing of a system that has been stopped may live. */
export function assertNothingLeft(system: ActorSystem): void {
  assert.equal(system.processes().map(String), [], 'processes outlived their system')
  assert.equal(system.threads(), [], 'threads outlived their system')
}

/** Runs `scene` in a process of its own; fails when that process is ended before the scene is. */
export async function onStage(system: ActorSystem, scene: (stage: Stage) => Promise<void>): Promise<void> {
  const shell = system.self
  const before = new Set(system.processes().map(String))
  let stage: Stage | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      const play = async (self: Process) => {
        stage = new Stage(system, self)
        const why = () => JSON.stringify(self.signal.reason)
        self.signal.addEventListener('abort', () => reject(new Error(`the test's own process exited: ${why()}`)))
        await scene(stage).then(resolve, reject)
      }
      shell.spawn(play).catch(reject)
    })
  } finally {
    await stage?.clear(shell)
  }
  const left = () => system.processes().filter((one) => !before.has(one.toString()))
  await eventually(() => assert.equal(left().map(String), [], 'processes outlived their test'))
}
