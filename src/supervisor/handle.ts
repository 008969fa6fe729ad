import { isDeepStrictEqual } from 'node:util'
import type { ExitReason } from '../actors/exit-reason.js'
import { ownerOf } from '../actors/owner.js'
import { type CallOptions, Process } from '../actors/process.js'
import type { ActorSystem } from '../actors/system.js'
import { BeamlineError, shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import { startNest } from './nursery.js'
import { bad, type DynamicSupervisorOptions, policyOf, type SupervisorOptions } from './options.js'
import { Parking } from './parking.js'
import { birthOf, type NestKind, type Recipe } from './recipe.js'
import type { RecipeParcel, SupervisorRequest } from './requests.js'
import { nests } from './supervisor-actor.js'

/** The wire between a process and a supervisor, which is meant by its pid or by the name it has at the time. */
export class Handle {
  readonly #owner: Process
  readonly #to: Pid | string

  constructor(by: ActorSystem | Process, to: Pid | string) {
    if (!(to instanceof Pid) && typeof to !== 'string')
      throw new BeamlineError('INVALID_TYPE', `${shown(to)} is no supervisor: give its pid or registered name`)
    this.#owner = ownerOf(by)
    this.#to = to
  }

  /** Starts a supervisor. @param childrenFor makes the recipes, told whether they must be able to travel */
  static async start(
    by: ActorSystem | Process,
    nest: NestKind,
    options: SupervisorOptions & DynamicSupervisorOptions,
    childrenFor: (portable: boolean) => readonly Recipe[],
  ): Promise<Handle> {
    const owner = ownerOf(by)
    const what = nest === 'supervisor' ? 'Supervisor.start' : 'DynamicSupervisor.start'
    const policy = policyOf(what, options)
    const { name, thread, link = by instanceof Process } = options
    if (typeof link !== 'boolean') throw bad(what, 'link', link, 'give true or false')
    const children = childrenFor(thread !== undefined)
    const product = { nest, args: { policy, children }, options: birthOf(nest, name, thread) }
    return new Handle(owner, await startNest(owner, nests, product, link))
  }

  /** @throws BeamlineError NOPROC for a name that nobody has */
  get pid(): Pid {
    return this.#owner.system.pidOf(this.#to)
  }

  ask(request: SupervisorRequest, { timeout = Number.POSITIVE_INFINITY }: CallOptions = {}): Promise<unknown> {
    return this.#owner.call(this.#to, request, { timeout })
  }

  /** @param recipeFor makes the recipe, told whether it must be able to travel */
  async startChild(recipeFor: (portable: boolean) => Recipe): Promise<Pid | undefined> {
    const near = this.pid.thread === this.#owner.pid.thread
    const recipe = recipeFor(!near)
    if (!near) return this.#send({ recipe })
    const parking = Parking.of(this.#owner.system)
    const ticket = parking.leave(recipe)
    try {
      return await this.#send({ ticket })
    } finally {
      parking.take(ticket)
    }
  }

  async #send(parcel: RecipeParcel): Promise<Pid | undefined> {
    return (await this.ask({ kind: 'start', parcel })) as Pid | undefined
  }

  async stop(reason: ExitReason, options: CallOptions): Promise<void> {
    try {
      await this.ask({ kind: 'stop', reason }, options)
    } catch (error) {
      const ended = error instanceof BeamlineError && error.code === 'NOPROC' && error.cause !== undefined
      if (!ended || !isDeepStrictEqual(error.details['reason'], reason)) throw error
    }
  }
}
