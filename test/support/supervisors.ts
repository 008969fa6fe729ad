import type { ExitReason } from '../../src/actors/exit-reason.js'
import { Call } from '../../src/actors/messages.js'
import { Server } from '../../src/actors/server.js'
import type { ServerRef } from '../../src/actors/server-ref.js'
import type { ChildSpec } from '../../src/supervisor/child-spec.js'
import { DynamicSupervisor } from '../../src/supervisor/dynamic-supervisor.js'
import type { DynamicSupervisorOptions, SupervisorOptions } from '../../src/supervisor/options.js'
import { Supervisor } from '../../src/supervisor/supervisor.js'
import { VirtualClock } from '../../src/testing/virtual-clock.js'
import type { Pid } from '../../src/threads/pid.js'
import { type Trace, Traced, type TracedArgs } from '../fixtures/traced.js'
import { onStage, type Place, type Stage } from './stage.js'
import { withSystem } from './system.js'

type Traits = Omit<TracedArgs, 'boss' | 'id'> & Pick<ChildSpec, 'restart' | 'shutdown' | 'significant'>

const patience = 20_000

/** A test's supervisor with its traced children. The test's process is its parent, and hears of everything. */
export class Family {
  readonly stage: Stage
  readonly #place: Place
  readonly #thread: 'main' | 'isolated' | 0

  constructor(stage: Stage, place: Place) {
    stage.self.trapExit = true
    this.stage = stage
    this.#place = place
    this.#thread = place === 'same thread' ? 'main' : place === 'isolated' ? 'isolated' : 0
  }

  /** One in a system of its own, whose time stands still. */
  static async onClock(place: Place, scene: (family: Family, clock: VirtualClock) => Promise<void>): Promise<void> {
    const clock = new VirtualClock()
    await withSystem({ threads: 1, clock }, (system) =>
      onStage(system, (stage) => scene(new Family(stage, place), clock)),
    )
  }

  /** The same in a system of its own, whose time stands still. */
  onClock(scene: (family: Family, clock: VirtualClock) => Promise<void>): Promise<void> {
    return Family.onClock(this.#place, scene)
  }

  child(id: string, { restart, shutdown, significant, ...traits }: Traits = {}): ChildSpec {
    const args: TracedArgs = { boss: this.stage.self.pid, id, ...traits }
    return {
      id,
      start: { server: Traced, args, options: { thread: this.#thread } },
      ...(restart && { restart }),
      ...(shutdown !== undefined && { shutdown }),
      ...(significant && { significant }),
    }
  }

  start(children: readonly ChildSpec[], options: SupervisorOptions = {}): Promise<Supervisor> {
    return Supervisor.start(this.stage.self, children, options)
  }

  dynamic(options: DynamicSupervisorOptions = {}): Promise<DynamicSupervisor> {
    return DynamicSupervisor.start(this.stage.self, options)
  }

  /** The next start of that child. */
  async started(id: string): Promise<Pid> {
    const isStart = (message: unknown): message is Trace & { pid: Pid } =>
      (message as Trace & { started?: string }).started === id
    return (await this.stage.self.receive(isStart, { timeout: patience })).pid
  }

  /** The next `terminate` of that child. */
  async terminated(id: string): Promise<ExitReason> {
    const isEnd = (message: unknown): message is Trace & { reason: ExitReason } =>
      (message as Trace & { terminated?: string }).terminated === id
    return (await this.stage.self.receive(isEnd, { timeout: patience })).reason
  }

  /** Waits until that child asks, and lets it go on with the function that is returned. */
  async asked(id: string): Promise<() => void> {
    const { self } = this.stage
    const isQuestion = (message: unknown): message is Call =>
      message instanceof Call && (message.request as { ask?: string }).ask === id
    const { from } = await self.receive(isQuestion, { timeout: patience })
    return () => self.reply(from, 'go on')
  }

  ref(pid: Pid): ServerRef<Traced> {
    return Server.ref<Traced>(this.stage.self, pid)
  }

  /** Lets a child throw. */
  crash(pid: Pid, reason: ExitReason): void {
    this.ref(pid).cast.crash(reason)
  }

  kill(pid: Pid): void {
    this.stage.self.exit(pid, 'kill')
  }

  /** What the children have told until now and nobody has taken: `+id` for a start, `-id reason` for a `terminate`. */
  async traces(): Promise<string[]> {
    return (await this.stage.rest()).flatMap((message) => {
      const trace = message as Trace
      if ('started' in trace) return [`+${trace.started}`]
      if ('terminated' in trace) return [`-${trace.terminated} ${JSON.stringify(trace.reason)}`]
      return []
    })
  }

  /** The reason for which a process ends. */
  reasonOf(pid: Pid): Promise<unknown> {
    return this.stage.reasonOf(pid)
  }
}

/** The pids of whichChildren, by id. */
export async function pidsOf(sup: Supervisor): Promise<Record<string, Pid | undefined | 'restarting'>> {
  return Object.fromEntries((await sup.whichChildren()).map(({ id, pid }) => [id, pid]))
}

/** Shared memory in which a traced child counts its starts, and how to read it. */
export function starts(): { readonly memory: SharedArrayBuffer; readonly count: () => number } {
  const memory = new SharedArrayBuffer(4)
  return { memory, count: () => Atomics.load(new Int32Array(memory), 0) }
}
