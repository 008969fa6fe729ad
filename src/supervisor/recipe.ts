import { Server, type ServerClass, serverSpawn } from '../actors/server.js'
import type { Spawnable } from '../actors/spawner.js'
import { BeamlineError, shown } from '../errors.js'
import type { ChildSpawnOptions, ChildSpec, ChildStart, DynamicChildSpec } from './child-spec.js'
import { bad, oneOf, type Policy, policyOf, type SupervisorOptions } from './options.js'
import type { Restart } from './strategy.js'

/** What the process of a supervisor is made with. */
export interface NestArgs {
  readonly policy: Policy
  readonly children: readonly Recipe[]
}

export type NestKind = 'supervisor' | 'dynamicSupervisor'

/** What is spawned for a child. */
type Product = { readonly what: Spawnable; readonly args: unknown; readonly options: ChildSpawnOptions } | NestProduct

/** A supervisor to be spawned. */
export interface NestProduct {
  readonly nest: NestKind
  readonly args: NestArgs
  readonly options: ChildSpawnOptions
}

/** A child specification that is checked and complete. Plain data where `what` is no closure. */
export interface Recipe {
  readonly id: string | undefined
  readonly product: Product
  readonly restart: Restart
  readonly shutdown: number | 'infinity' | 'brutal_kill'
  readonly type: 'worker' | 'supervisor'
  readonly significant: boolean
}

const restarts: readonly Restart[] = ['permanent', 'transient', 'temporary']

/**
 * The recipes of a list of children.
 * @param portable whether they are for a supervisor on another thread
 * @throws BeamlineError INVALID_TYPE, ALREADY_EXISTS for an id that is there twice, BAD_ENTRY for what cannot travel
 */
export function recipesOf(owner: string, specs: readonly ChildSpec[], portable: boolean): Recipe[] {
  if (!Array.isArray(specs)) throw bad(owner, 'the list of children', specs, 'give an array of child specifications')
  const ids = new Set<string>()
  return specs.map((spec: ChildSpec) => {
    const recipe = recipeOf(owner, spec, portable)
    if (ids.has(spec.id)) {
      const text = `${owner}: two children have the id ${shown(spec.id)}: give each its own`
      throw new BeamlineError('ALREADY_EXISTS', text, { details: { id: spec.id, reason: 'duplicate_child_name' } })
    }
    ids.add(spec.id)
    return recipe
  })
}

/** @throws BeamlineError INVALID_TYPE, BAD_ENTRY */
export function recipeOf(owner: string, spec: ChildSpec, portable: boolean): Recipe {
  const { id, significant = false, restart } = asObject(owner, spec)
  if (typeof id !== 'string' || id === '') throw bad(owner, 'the id of a child', id, 'give a string that is not empty')
  const child = childName(owner, id)
  if (typeof significant !== 'boolean') throw bad(child, 'significant', significant, 'give true or false')
  if (significant && (restart ?? 'permanent') === 'permanent')
    throw bad(
      child,
      'significant',
      significant,
      'a permanent child never ends for good: make it transient or temporary',
    )
  return { ...dynamicRecipeOf(owner, spec, portable), significant }
}

/** The same for a child that needs no id. */
export function dynamicRecipeOf(owner: string, spec: DynamicChildSpec, portable: boolean): Recipe {
  const { id, start, restart = 'permanent', type, shutdown } = asObject(owner, spec)
  if (id !== undefined && typeof id !== 'string') throw bad(owner, 'the id of a child', id, 'give a string, or none')
  const child = childName(owner, id)
  const product = productOf(child, start, portable)
  const nested = 'nest' in product
  const kind = type ?? (nested ? 'supervisor' : 'worker')
  return {
    id,
    product,
    restart: oneOf(child, 'restart', restart, restarts),
    shutdown: shutdownOf(child, shutdown ?? (kind === 'supervisor' ? 'infinity' : 5000)),
    type: oneOf(child, 'type', kind, ['worker', 'supervisor']),
    significant: false,
  }
}

function asObject<S>(owner: string, spec: S): S {
  if (typeof spec !== 'object' || spec === null) throw bad(owner, 'a child', spec, 'give { id, start: { … } }')
  return spec
}

const childName = (owner: string, id: string | undefined): string =>
  id === undefined ? `${owner}: the child` : `${owner}: the child ${shown(id)}`

function shutdownOf(child: string, shutdown: Recipe['shutdown']): Recipe['shutdown'] {
  if (shutdown === 'infinity' || shutdown === 'brutal_kill') return shutdown
  if (shutdown === Number.POSITIVE_INFINITY) return 'infinity'
  if (typeof shutdown === 'number' && shutdown >= 0) return shutdown
  throw bad(child, 'shutdown', shutdown, "give milliseconds, 'infinity' or 'brutal_kill'")
}

function productOf(child: string, start: ChildStart, portable: boolean): Product {
  if (typeof start !== 'object' || start === null) throw bad(child, 'start', start, startAdvice)
  if ('supervisor' in start) return nested('supervisor', child, start.supervisor, start.options, portable)
  if ('dynamicSupervisor' in start) return nested('dynamicSupervisor', child, [], start.dynamicSupervisor, portable)
  const { args, options = {} } = start
  if (typeof options !== 'object' || options === null) throw bad(child, 'start.options', options, 'give an object')
  if ('server' in start) {
    const { server } = start
    if (!isServerClass(server)) throw bad(child, 'start.server', server, 'give a class that extends Server')
    const made = { ...serverSpawn(server, args), options: { label: server.name, ...options } }
    return portable ? mobile(child, made) : made
  }
  if (!('entry' in start)) throw bad(child, 'start', start, startAdvice)
  const what = start.entry as Spawnable
  if (typeof what !== 'function' && (typeof what !== 'object' || what === null))
    throw bad(child, 'start.entry', what, 'give a function, or { module, export }')
  return portable ? mobile(child, { what, args, options }) : { what, args, options }
}

const startAdvice = 'give { server }, { entry }, { supervisor } or { dynamicSupervisor }'

const isServerClass = (server: unknown): server is ServerClass =>
  typeof server === 'function' && server.prototype instanceof Server

function nested(
  nest: NestKind,
  child: string,
  specs: readonly ChildSpec[],
  options: SupervisorOptions = {},
  portable: boolean,
): Product {
  const policy = policyOf(child, options)
  const { name, thread } = options
  const children = recipesOf(child, specs, portable || thread !== undefined)
  return { nest, args: { policy, children }, options: birthOf(nest, name, thread) }
}

/** The options of the spawn of a supervisor. */
export function birthOf(nest: NestKind, name: SupervisorOptions['name'], thread: SupervisorOptions['thread']) {
  const label = nest === 'supervisor' ? 'Supervisor' : 'DynamicSupervisor'
  return { label, ...(name !== undefined && { name }), ...(thread !== undefined && { thread }) }
}

/** What a message can carry to another thread. */
function mobile<P extends { readonly what: Spawnable }>(child: string, product: P): P {
  const { what } = product
  if (typeof what === 'function') {
    const text = `${child} is a closure, or a server without a module, and cannot leave its thread: give { module, export } or declare 'static module'`
    throw new BeamlineError('BAD_ENTRY', text)
  }
  const { module } = what
  return module instanceof URL ? { ...product, what: { ...what, module: module.href } } : product
}
