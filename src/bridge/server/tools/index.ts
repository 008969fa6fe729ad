import type { Process } from '../../../actors/process.js'
import { BeamlineError } from '../../../errors.js'
import type { Pid } from '../../../threads/pid.js'

/** The functions of the host that clients may call as tools: a handle to the process that keeps them. */
export class HostTools {
  readonly pid: Pid
  readonly #owner: Process

  private constructor(owner: Process, pid: Pid) {
    this.#owner = owner
    this.pid = pid
  }

  /** Starts the process that keeps them. */
  static async start(owner: Process): Promise<HostTools> {
    const pid = await owner.spawn(async (self) => void (await self.receive(() => false)))
    return new HostTools(owner, pid)
  }

  async stop(): Promise<void> {
    try {
      await this.#owner.stop(this.pid, 'shutdown')
    } catch (error) {
      if (!(error instanceof BeamlineError && error.code === 'NOPROC')) throw error
    }
  }
}
