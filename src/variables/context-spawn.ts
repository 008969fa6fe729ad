import { randomUUID } from 'node:crypto'
import type { Process } from '../actors/process.js'
import type { Placement, SpawnOptions } from '../actors/spawner.js'
import type { Startable } from '../actors/startable.js'
import { BeamlineError, shown } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import type { ContextArgs } from './context-args.js'
import { registered } from './context-name.js'
import { checkBases, type ModuleBases } from './module-base.js'
import type { SessionState } from './session-state.js'
import type { ContextHost } from './upstream.js'

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
  /**
   * Milliseconds that a request may take; 5000. Behind a bridge without end unless told, as it is the bridge that knows
   * how long to wait.
   */
  readonly timeout?: number
  /** The context lives in a session on the other side of this bridge: it joins the one with its id, or makes it. */
  readonly bridge?: ContextHost
  /** With `bridge`: whether a session that is not there is made; true unless told. Else it is NOT_FOUND. */
  readonly create?: boolean
}

/** @internal How a context begins that is no user's own. */
export interface Origin {
  /** What its system knows it by, where its id is that of a session and others may have the same. */
  readonly key?: string
  /** What it begins with. */
  readonly state?: SessionState
}

const actor = { module: new URL('./context-actor.js', import.meta.url), export: 'contextActor' }

/** What starts the process that is a context. @throws BeamlineError INVALID_TYPE, BAD_ENTRY */
export function contextStart(
  id: string,
  options: ContextOptions,
  isSupervised: boolean,
  { key = id, state }: Origin = {},
): Startable {
  const { name, thread = 'system', history = 100, log = 4096, bridge, create = true } = options
  if (typeof id !== 'string' || id === '') {
    throw new BeamlineError('INVALID_TYPE', `${shown(id)} is no context id: give a string that is not empty`)
  }
  if ((thread as string) === 'isolated') {
    throw new BeamlineError(
      'BAD_ENTRY',
      "a context shares its thread with its observers: give 'system', 'main' or a number",
    )
  }
  if (bridge !== undefined && typeof bridge?.home !== 'function')
    throw new BeamlineError(
      'INVALID_TYPE',
      `Context.start: bridge is ${shown(bridge)}: give what Bridge.connect answers`,
    )
  const names = name === undefined ? [registered(key)] : [registered(key), name]
  const retention = { history: positive('history', history), log: positive('log', log) }
  const start = { thread, names }
  const modules = checkBases(options.modules ?? {})
  const args: ContextArgs = {
    id: key,
    session: id,
    retention,
    modules,
    start: isSupervised ? undefined : start,
    again: false,
    ...(bridge !== undefined && { home: bridge.home(create) }),
    ...(state !== undefined && { state }),
  }
  return { entry: actor, args, options: optionsOf(id, start) }
}

const optionsOf = (id: string, { thread, names }: NonNullable<ContextArgs['start']>): SpawnOptions => ({
  thread,
  name: names,
  label: `Context ${id}`,
})

/** Starts a context again, whose thread has died; one with a supervisor is left to that. */
export async function respawn(owner: Process, args: ContextArgs): Promise<void> {
  if (args.start !== undefined) await owner.spawn(actor, { ...args, again: true }, optionsOf(args.session, args.start))
}

/** Starts the process that is a context; see `Context.start` for the errors. */
export async function spawnContext(
  owner: Process,
  options: ContextOptions,
  origin: Origin = {},
): Promise<{ pid: Pid; id: string; key: string }> {
  const { id = randomUUID(), bridge } = options
  // Others of this system may live in the same session, or be that session.
  const { key = bridge === undefined ? id : `${id}@${randomUUID()}` } = origin
  const start = contextStart(id, options, false, { ...origin, key })
  try {
    return { pid: await owner.spawn(start.entry, start.args, start.options), id, key }
  } catch (error) {
    const failed = startError(error)
    if (failed !== undefined) throw failed
    // While it is being started again, its id is taken and its name is not.
    const { cause } = error as { cause?: unknown }
    if (cause instanceof BeamlineError && cause.code === 'ALREADY_EXISTS') throw cause
    const taken = error instanceof BeamlineError && error.code === 'ALREADY_REGISTERED'
    if (!taken || error.details['name'] !== registered(id)) throw error
    const text = `the context '${id}' exists: attach to it, or choose another id`
    throw new BeamlineError('ALREADY_EXISTS', text, { cause: error, details: { id } })
  }
}

/** Why a session could not be joined, when that was it. */
function startError(error: unknown): BeamlineError | undefined {
  const { cause } = error as { cause?: unknown }
  const codes: readonly string[] = ['NOT_FOUND', 'UNAVAILABLE', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'EXHAUSTED']
  return cause instanceof BeamlineError && codes.includes(cause.code) ? cause : undefined
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
