import { isDeepStrictEqual } from 'node:util'
import type { ExitReason } from '../actors/exit-reason.js'
import type { Down } from '../actors/messages.js'
import { isDown } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import type { SpawnOptions } from '../actors/spawner.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid } from '../threads/pid.js'

/** A fence has come home. */
interface Fence {
  readonly fence: number
}

/**
 * A process for tests, on the thread that starts it: what others send to it the test receives, and what it does the test
 * does by {@link self}. It traps exits, so that a linked process may die. Mirrors the test process of ExUnit, with
 * `assert_receive` and `refute_receive`.
 */
export class Probe implements AsyncDisposable {
  /** For whatever else a process can do. */
  readonly self: Process
  readonly #end: () => void
  #fences = 0

  private constructor(self: Process, end: () => void) {
    this.self = self
    this.#end = end
  }

  /** @param options as for a spawn; a probe stays on the calling thread */
  static start(system: ActorSystem, options: Omit<SpawnOptions, 'thread'> = {}): Promise<Probe> {
    return new Promise((resolve, reject) => {
      const probe = (self: Process) =>
        new Promise<void>((end) => {
          self.trapExit = true
          resolve(new Probe(self, end))
        })
      system.spawn(probe, undefined, { label: 'Probe', ...options }).catch(reject)
    })
  }

  get pid(): Pid {
    return this.self.pid
  }

  /**
   * The first message that `match` accepts; the others stay.
   * @param options.timeout milliseconds to wait, 5000 unless told
   * @throws BeamlineError CALL_TIMEOUT when none comes
   */
  receive<M = unknown>(
    match?: (message: unknown) => boolean,
    { timeout = 5000 }: { readonly timeout?: number } = {},
  ): Promise<M> {
    return this.self.receive<M>(match, { timeout })
  }

  /**
   * Takes the next message, which must equal `message` part by part.
   * @throws BeamlineError CONSTRAINT for another one, CALL_TIMEOUT when none comes
   */
  async expect(message: unknown, options: { readonly timeout?: number } = {}): Promise<void> {
    const next = await this.receive(undefined, options)
    if (isDeepStrictEqual(next, message)) return
    throw new BeamlineError('CONSTRAINT', `the probe expected ${shown(message)} and received ${shown(next)}`)
  }

  /**
   * Fails when any message is there, or comes until `fence` has settled. No time is waited: a fence is something that is
   * answered behind whatever might still come, such as a call to the process that might have sent it.
   * @throws BeamlineError CONSTRAINT for a message; what `fence` throws
   */
  async expectNothing(fence?: () => unknown): Promise<void> {
    await fence?.()
    const number = ++this.#fences
    this.self.send(this.pid, { fence: number } satisfies Fence)
    await this.receive((message) => isFence(message) && message.fence === number)
    const found = await this.receive(undefined, { timeout: 0 }).then(
      (message) => ({ message }),
      () => undefined,
    )
    if (found !== undefined)
      throw new BeamlineError('CONSTRAINT', `the probe expected nothing and received ${shown(found.message)}`)
  }

  /** Monitors a process; resolves to the reason of its `DOWN`, `noproc` for one that is dead already. */
  async watch(pid: Pid): Promise<ExitReason> {
    const ref = this.self.monitor(pid)
    const down = await this.self.receive<Down>((message) => isDown(message) && ref.equals(message.ref))
    return down.reason
  }

  /** Ends the process, with `normal`. */
  async stop(): Promise<void> {
    this.#end()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

function isFence(message: unknown): message is Fence {
  return typeof message === 'object' && message !== null && 'fence' in message
}
