import { once } from 'node:events'
import { type MessagePort, Worker } from 'node:worker_threads'
import { Call } from '../../src/actors/messages.js'
import { type ActorSystem, Context, ObserverManager, openDoor, type Pid, type Process } from '../../src/index.js'
import { unpack } from '../../src/threads/payload.js'
import type { ForeignData, Said, Told, Vars } from '../fixtures/foreign.js'
import { eventually } from '../harness.js'
import { gate } from './recorder.js'

/** A worker thread that no system started; see the fixture. */
export class Foreign implements AsyncDisposable {
  readonly worker: Worker
  readonly seen: NonNullable<Said['seen']>[] = []
  readonly ended: NonNullable<Said['ended']>[] = []
  readonly #waiting = new Map<number, (said: Said) => void>()
  #number = 0

  private constructor(port: MessagePort, timeout: number | undefined) {
    const workerData: ForeignData = { port, timeout }
    this.worker = new Worker(new URL('../fixtures/foreign.js', import.meta.url), { workerData, transferList: [port] })
    this.worker.on('message', (said: Said) => {
      if (said.seen !== undefined) this.seen.push(said.seen)
      if (said.ended !== undefined) this.ended.push(said.ended)
      if (said.number !== undefined) this.#waiting.get(said.number)?.(said)
    })
  }

  static async start(port: MessagePort, timeout?: number): Promise<Foreign> {
    const foreign = new Foreign(port, timeout)
    await once(foreign.worker, 'message')
    return foreign
  }

  /** Lets it make a move; answers with what came of it, and rejects with its error. */
  do(move: string, ...args: unknown[]): Promise<unknown> {
    const number = ++this.#number
    const told = new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(number, ({ value, error }) =>
        error === undefined ? resolve(value && unpack(value)) : reject(unpack(error)),
      )
    })
    this.worker.postMessage({ number, move, args } satisfies Told)
    return told
  }

  /** The values that its watch `key` has been told of. */
  valuesOf(key: unknown): unknown[] {
    return this.seen.filter(({ watch }) => watch === key).map(({ value }) => value)
  }

  /** The error that its watch `key` ended with. */
  async endOf(key: unknown): Promise<unknown> {
    await eventually(() => this.ended.some(({ watch }) => watch === key))
    return this.ended.find(({ watch }) => watch === key)?.code
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.worker.terminate()
  }
}

export interface DoorScene {
  readonly ctx: Context<Vars>
  readonly foreign: Foreign
  /** Ends the process by the name `mute`, which answers nobody, once somebody has called it. */
  readonly endMute: () => Promise<void>
}

/** What doors of a system are tested with. */
export class DoorStage {
  readonly #system: () => ActorSystem

  constructor(system: () => ActorSystem) {
    this.#system = system
  }

  /** A test with a context 'room', a worker that uses it through a door, and a process 'mute' that never answers. */
  scene(body: (scene: DoorScene) => Promise<void>, timeout?: number): () => Promise<void> {
    return async () => {
      const system = this.#system()
      await using ctx = await Context.start<Vars>(system, { id: 'room' })
      await ctx.define('n', 'integer', 1)
      await ctx.define('text', 'string', 'a')
      const { opened: called, open } = gate()
      const pid = await startMute(system, open)
      const endMute = async () => {
        await called
        system.self.exit(pid, 'kill')
      }
      try {
        await using foreign = await Foreign.start(await openDoor(system), timeout)
        await body({ ctx, foreign, endMute })
      } finally {
        system.self.exit(pid, 'kill')
        await eventually(() => !system.isAlive(pid))
      }
    }
  }

  observers(): Promise<number> {
    return ObserverManager.of(this.#system()).total()
  }

  async doors(): Promise<number> {
    const system = this.#system()
    const infos = await Promise.all(system.processes().map((pid) => system.info(pid)))
    return infos.filter((info) => info?.label === 'Door').length
  }

  /** Waits until no watch is left, and no door. */
  noneLeft(): Promise<void> {
    return eventually(async () => (await this.observers()) === 0 && (await this.doors()) === 0)
  }
}

/** A process that tells of the first call and never answers. */
export function startMute(system: ActorSystem, called: () => void = () => {}): Promise<Pid> {
  const mute = async (self: Process): Promise<void> => {
    await self.receive((message) => message instanceof Call)
    called()
    await self.receive(() => false)
  }
  return system.spawn(mute, undefined, { name: 'mute' })
}
