import { randomUUID } from 'node:crypto'
import type { Process } from '../actors/process.js'
import type { Placement, SpawnOptions } from '../actors/spawner.js'
import type { Startable } from '../actors/startable.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import type { ContextArgs } from './context-actor.js'
import { checkBases, type ModuleBases } from './module-base.js'

export interface ContextOptions {
  /** Unique in its system; made up unless told. Other processes find the context by it. */
  readonly id?: string
  /** A registered name for the context's process. */
  readonly name?: string
  /** `system` unless told: a thread that runs no user's process, so that a stuck one never takes the context with it. */
  readonly thread?: Exclude<Placement, 'isolated'>
  /** Values kept of each variable for `history` and `rollback`, the present one included; 100. */
  readonly history?: number
  /** Changes kept for watches that begin at an earlier revision; 4096. */
  readonly log?: number
  /** Where the modules of each namespace are, for `resolve`. */
  readonly modules?: ModuleBases
  /** Milliseconds that a request may take; 5000. */
  readonly timeout?: number
}

/** The registered name of the context with this id. */
export const registered = (id: string): string => `beamline.context.${id}`
const actor = { module: new URL('./context-actor.js', import.meta.url), export: 'contextActor' }

/** What starts the process that is a context. @throws BeamlineError INVALID_TYPE, BAD_ENTRY */
export function contextStart(id: string, options: ContextOptions, isSupervised: boolean): Startable {
  const { name, thread = 'system', history = 100, log = 4096 } = options
  if (typeof id !== 'string' || id === '') {
    throw new BeamlineError('INVALID_TYPE', `${shown(id)} is no context id: give a string that is not empty`)
  }
  if ((thread as string) === 'isolated') {
    throw new BeamlineError(
      'BAD_ENTRY',
      "a context shares its thread with its observers: give 'system', 'main' or a number",
    )
  }
  const names = name === undefined ? [registered(id)] : [registered(id), name]
  const retention = { history: positive('history', history), log: positive('log', log) }
  const start = { thread, names }
  const modules = checkBases(options.modules ?? {})
  const args: ContextArgs = { id, retention, modules, start: isSupervised ? undefined : start, again: false }
  return { entry: actor, args, options: optionsOf(id, start) }
}

const optionsOf = (id: string, { thread, names }: NonNullable<ContextArgs['start']>): SpawnOptions => ({
  thread,
  name: names,
  label: `Context ${id}`,
})

/** Starts a context again, whose thread has died; one with a supervisor is left to that. */
export async function respawn(owner: Process, args: ContextArgs): Promise<void> {
  if (args.start !== undefined) await owner.spawn(actor, { ...args, again: true }, optionsOf(args.id, args.start))
}

/** Starts the process that is a context; see `Context.start` for the errors. */
export async function spawnContext(owner: Process, options: ContextOptions): Promise<{ pid: Pid; id: string }> {
  const { id = randomUUID() } = options
  const start = contextStart(id, options, false)
  try {
    return { pid: await owner.spawn(start.entry, start.args, start.options), id }
  } catch (error) {
    // While it is being started again, its id is taken and its name is not.
    const { cause } = error as { cause?: unknown }
    if (cause instanceof BeamlineError && cause.code === 'ALREADY_EXISTS') throw cause
    const taken = error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED'
    if (!taken || error.details['name'] !== registered(id)) throw error
    const text = `the context '${id}' exists: attach to it, or choose another id`
    throw new BeamlineError('ALREADY_EXISTS', text, { cause: error, details: { id } })
  }
}

/** @throws BeamlineError NOT_FOUND when no context has that id or name */
export function findContext(owner: Process, to: string): Pid {
  if (typeof to !== 'string')
    throw new BeamlineError('INVALID_TYPE', `${shown(to)} is no context: give its id, registered name or pid`)
  const pid = owner.system.whereis(registered(to)) ?? owner.system.whereis(to)
  if (pid !== undefined) return pid
  throw new BeamlineError('NOT_FOUND', `there is no context '${to}': start it first`, { details: { id: to } })
}

function positive(option: string, value: number): number {
  if (Number.isInteger(value) && value > 0) return value
  throw new BeamlineError('INVALID_TYPE', `Context.start: ${option} is ${shown(value)}: give a whole number above 0`)
}
