import type { ProcessFn } from '../actors/behaviour.js'
import { type ExitReason, reasonFrom } from '../actors/exit-reason.js'
import { type Down, isDown } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import type { Spawnable } from '../actors/spawner.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import type { NestArgs, NestKind, NestProduct, Recipe } from './recipe.js'
import type { SupervisorRequest } from './requests.js'

/** What runs a supervisor of each kind on the thread where it is asked for. */
export type Nests = Readonly<Record<NestKind, ProcessFn<NestArgs>>>

/** What became of a start: a process, none by its own wish, or a failure. */
export type Started = { readonly pid: Pid | undefined } | { readonly failed: ExitReason }

/** A child that runs, and how it is to be stopped. */
export interface Stoppable {
  readonly pid: Pid
  readonly shutdown: Recipe['shutdown']
}

const actors = new URL('./supervisor-actor.js', import.meta.url)

/** Starts and stops the children of one supervisor. */
export class Nursery {
  readonly #self: Process
  readonly #nests: Nests

  constructor(self: Process, nests: Nests) {
    this.#self = self
    this.#nests = nests
  }

  /** Never throws. Whoever is started is linked to the supervisor from its birth. */
  async start({ product }: Recipe): Promise<Started> {
    try {
      if ('nest' in product) return { pid: await startNest(this.#self, this.#nests, product, true) }
      const { what, args, options } = product
      return { pid: await this.#self.spawn(what, args, { ...options, link: true }) }
    } catch (error) {
      const failed = reasonOf(error)
      return failed === 'normal' ? { pid: undefined } : { failed }
    }
  }

  /**
   * Stops children, all at a time, and resolves when all of them are gone. A monitor tells of that, as a child may have
   * undone its link; without the link, no `EXIT` of it is left in the mailbox.
   */
  async stop(children: readonly Stoppable[]): Promise<void> {
    const { clock } = this.#self.system
    const waiting = new Map<string, Pid>()
    const deadlines: { readonly at: number; readonly key: string }[] = []
    for (const { pid, shutdown } of children) {
      const key = this.#self.monitor(pid).toString()
      waiting.set(key, pid)
      this.#self.unlink(pid)
      this.#self.exit(pid, shutdown === 'brutal_kill' ? 'kill' : 'shutdown')
      if (typeof shutdown === 'number') deadlines.push({ at: clock.now() + shutdown, key })
    }
    deadlines.sort((one, other) => other.at - one.at)
    const isAwaited = (message: unknown): message is Down => isDown(message) && waiting.has(message.ref.toString())
    while (waiting.size > 0) {
      const next = deadlines.at(-1)
      const timeout = next === undefined ? Number.POSITIVE_INFINITY : Math.max(0, next.at - clock.now())
      const down = await this.#self.receive(isAwaited, { timeout }).catch(unlessTimedOut)
      if (down !== undefined) {
        waiting.delete(down.ref.toString())
        continue
      }
      deadlines.pop()
      const late = next && waiting.get(next.key)
      if (late !== undefined) this.#self.exit(late, 'kill')
    }
  }
}

/**
 * Starts the process of a supervisor for `owner`, and resolves once its children run.
 * @throws BeamlineError NOPROC when one of them fails (`details.reason`), and whatever a spawn does
 */
export async function startNest(
  owner: Process,
  nests: Nests,
  { nest, args, options }: NestProduct,
  link: boolean,
): Promise<Pid> {
  const what: Spawnable<NestArgs> =
    options.thread === undefined ? nests[nest] : { module: actors, export: `${nest}Actor` }
  const pid = await owner.spawn(what, args, { ...options, link })
  const begin: SupervisorRequest = { kind: 'begin' }
  await owner.call(pid, begin, { timeout: Number.POSITIVE_INFINITY })
  return pid
}

/** Why a start failed. */
export function reasonOf(error: unknown): ExitReason {
  const isExit = error instanceof BeamlineError && error.code === 'NOPROC' && 'reason' in error.details
  return isExit ? (error.details['reason'] as ExitReason) : reasonFrom(error)
}

function unlessTimedOut(error: unknown): undefined {
  if (error instanceof BeamlineError && error.code === 'CALL_TIMEOUT') return undefined
  throw error
}
