import { Exit } from '../actors/exit-reason.js'
import type { Process } from '../actors/process.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import { Child, countsOf } from './child.js'
import type { Nests } from './nursery.js'
import type { NestArgs, Recipe } from './recipe.js'
import type { SupervisorRequest } from './requests.js'
import { planRestart } from './strategy.js'
import { notStarted, Supervision, unknownRequest } from './supervision.js'

/** A supervisor of children that have ids, and an order. */
export class StaticSupervision extends Supervision {
  /** In the order of their start. */
  readonly #children = new Map<string, Child>()
  readonly #first: readonly Recipe[]

  constructor(self: Process, { policy, children }: NestArgs, nests: Nests) {
    super(self, policy, nests)
    this.#first = children
  }

  protected async begin(): Promise<void> {
    for (const recipe of this.#first) {
      const child = new Child(recipe)
      const failure = await this.start(child)
      if (failure !== undefined) {
        await this.stopAll()
        throw new Exit({ shutdown: { failedToStartChild: { id: recipe.id, reason: failure.failed } } })
      }
      this.#keep(child)
    }
  }

  protected async serve(request: SupervisorRequest): Promise<unknown> {
    switch (request?.kind) {
      case 'which':
        return this.#list().map(({ info }) => info)
      case 'count':
        return countsOf(this.#list())
      case 'start':
        return this.#startChild(this.recipeIn(request.parcel))
      case 'terminate':
        return this.#terminate(this.#get(request.child))
      case 'restart':
        return this.#run(this.#stopped('restartChild', request.child))
      case 'delete':
        return void this.#drop(this.#stopped('deleteChild', request.child))
      default:
        throw unknownRequest(request)
    }
  }

  async #startChild(recipe: Recipe): Promise<Pid | undefined> {
    const present = this.#children.get(recipe.id as string)
    if (present !== undefined) throw exists(present)
    const child = new Child(recipe)
    const pid = await this.#run(child)
    this.#keep(child)
    return pid
  }

  async #run(child: Child): Promise<Pid | undefined> {
    const failure = await this.start(child)
    if (failure !== undefined) throw notStarted(child.recipe, failure.failed)
    return child.pid as Pid | undefined
  }

  async #terminate(child: Child): Promise<void> {
    await this.stop([child])
    if (child.restart === 'temporary') this.#drop(child)
  }

  protected async stopAll(): Promise<void> {
    for (const child of this.#list().reverse()) await this.stop([child])
  }

  protected async finished(child: Child): Promise<void> {
    this.forget(child)
    if (child.restart === 'temporary') this.#drop(child)
    const { autoShutdown } = this.policy
    if (!child.recipe.significant || autoShutdown === 'never') return
    const another = () => this.#list().some(({ pid, recipe }) => recipe.significant && pid !== undefined)
    if (autoShutdown === 'any_significant' || !another()) await this.shutDown()
  }

  protected async restart(crashed: Child): Promise<Child | undefined> {
    const { strategy } = this.policy
    const siblings = strategy === 'one_for_one' ? [crashed] : this.#list()
    const { stop, start, drop } = planRestart(strategy, siblings, crashed)
    for (const child of stop) await this.stop([child])
    for (const child of drop) this.#drop(child)
    for (const child of start) if ((await this.start(child)) !== undefined) return child
    return undefined
  }

  /** One that ignores its start and would never be restarted has nothing to be kept for. */
  #keep(child: Child): void {
    if (child.pid !== undefined || child.restart !== 'temporary') this.#children.set(child.recipe.id as string, child)
  }

  #drop(child: Child): void {
    this.#children.delete(child.recipe.id as string)
  }

  #list(): Child[] {
    return [...this.#children.values()]
  }

  #get(id: string | Pid): Child {
    const child = this.#children.get(id as string)
    if (child !== undefined) return child
    throw new BeamlineError('NOT_FOUND', `there is no child ${shown(id)}: see whichChildren()`, { details: { id } })
  }

  #stopped(method: string, id: string | Pid): Child {
    const child = this.#get(id)
    if (child.pid === undefined) return child
    const reason = child.pid === 'restarting' ? 'restarting' : 'running'
    const text = `${method}: the child ${shown(id)} is ${reason}: use terminateChild first`
    throw new BeamlineError('ALREADY_EXISTS', text, { details: { id, pid: child.pid, reason } })
  }
}

function exists({ recipe: { id }, pid }: Child): BeamlineError {
  const reason = pid === undefined ? 'already_present' : 'already_started'
  const advice = pid === undefined ? 'use restartChild, or deleteChild first' : 'choose another id'
  const text = `startChild: there is a child ${shown(id)} already: ${advice}`
  return new BeamlineError('ALREADY_EXISTS', text, { details: { id, reason, ...(pid !== undefined && { pid }) } })
}
