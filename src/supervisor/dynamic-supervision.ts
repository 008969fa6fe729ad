import { BeamlineError, shown } from '../errors.js'
import { Pid } from '../threads/pid.js'
import { Child, countsOf } from './child.js'
import type { Recipe } from './recipe.js'
import type { SupervisorRequest } from './requests.js'
import { notStarted, Supervision, unknownRequest } from './supervision.js'

/** A supervisor of any number of children that come and go, each for itself. */
export class DynamicSupervision extends Supervision {
  readonly #children = new Set<Child>()

  protected async begin(): Promise<void> {}

  protected async serve(request: SupervisorRequest): Promise<unknown> {
    switch (request?.kind) {
      case 'which':
        return [...this.#children].map(({ info }) => info)
      case 'count':
        return countsOf([...this.#children])
      case 'start':
        return this.#startChild(this.recipeIn(request.parcel))
      case 'terminate':
        return this.#terminate(request.child)
      default:
        throw unknownRequest(request)
    }
  }

  async #startChild(recipe: Recipe): Promise<Pid | undefined> {
    const { maxChildren } = this.policy
    if (this.#children.size >= maxChildren) {
      const text = `startChild: the supervisor has ${maxChildren} children, and may have no more: end one, or raise maxChildren`
      throw new BeamlineError('OVERFLOW', text, { details: { reason: 'max_children', maxChildren } })
    }
    const child = new Child(recipe)
    const failure = await this.start(child)
    if (failure !== undefined) throw notStarted(recipe, failure.failed)
    if (child.pid !== undefined) this.#children.add(child)
    return child.pid as Pid | undefined
  }

  async #terminate(pid: Pid | string): Promise<void> {
    const child = pid instanceof Pid ? this.find(pid) : undefined
    if (child === undefined) {
      const text = `terminateChild: ${shown(pid)} is no child of this supervisor: see whichChildren()`
      throw new BeamlineError('NOT_FOUND', text, { details: { pid } })
    }
    await this.stop([child])
    this.#children.delete(child)
  }

  protected async stopAll(): Promise<void> {
    await this.stop([...this.#children])
  }

  protected async finished(child: Child): Promise<void> {
    this.forget(child)
    this.#children.delete(child)
  }

  protected async restart(crashed: Child): Promise<Child | undefined> {
    if ((await this.start(crashed)) !== undefined) return crashed
    // It ignored this start, and nobody would ever start it again.
    if (crashed.pid === undefined) this.#children.delete(crashed)
    return undefined
  }
}
