import { behaviour } from '../../../actors/behaviour.js'
import type { Process } from '../../../actors/process.js'
import { BeamlineError } from '../../../errors.js'
import type { Pid } from '../../../threads/pid.js'
import { HostProcess } from './host-process.js'
import { checkTool, specOf, type Tool, type ToolSpec } from './tool-spec.js'

/** The functions of the host that clients may call as tools: a handle to the process that runs them. */
export class HostTools {
  readonly pid: Pid
  readonly #owner: Process
  readonly #tools: Map<string, Tool>

  private constructor(owner: Process, pid: Pid, tools: Map<string, Tool>) {
    this.#owner = owner
    this.pid = pid
    this.#tools = tools
  }

  /** Starts the process that runs them. */
  static async start(owner: Process): Promise<HostTools> {
    const tools = new Map<string, Tool>()
    const make = behaviour((self: Process) => new HostProcess(self, tools))
    return new HostTools(owner, await owner.spawn(make, undefined, { label: 'BridgeServer tools' }), tools)
  }

  /**
   * Lets clients call a function by a name, in the place of one that has it already. It runs on the thread that adds it.
   * @throws BeamlineError INVALID_TYPE for what is no tool
   */
  add(tool: Tool): void {
    const checked = checkTool(tool)
    this.#tools.set(checked.name, checked)
  }

  /** Takes a function away; says whether it was there. What runs comes to its end. */
  remove(name: string): boolean {
    return this.#tools.delete(name)
  }

  list(): ToolSpec[] {
    return [...this.#tools.values()].map(specOf)
  }

  async stop(): Promise<void> {
    try {
      await this.#owner.stop(this.pid, 'shutdown')
    } catch (error) {
      if (!(error instanceof BeamlineError && error.code === 'NOPROC')) throw error
    }
  }
}
