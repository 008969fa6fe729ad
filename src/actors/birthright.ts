import type { ResourceLimits } from 'node:worker_threads'
import { BeamlineError, shown } from '../errors.js'
import type { Ref } from '../threads/pid.js'
import type { MailboxLimit, Overflow } from './mailbox.js'
import type { Placement, SpawnOptions } from './spawner.js'
import type { Name } from './via.js'

/** The options as the layers above may give them. */
export interface InnerOptions extends SpawnOptions {
  /** The modules that the process is made of, where that of its entry does not tell. */
  readonly preload?: readonly string[] | undefined
}

/** What a new process is given: the options of its spawn, checked and complete. */
export interface Birthright {
  readonly label: string
  readonly names: readonly Name[]
  readonly link: boolean
  readonly monitor: Ref | undefined
  readonly mailbox: MailboxLimit | undefined
  readonly thread: Placement
  readonly resourceLimits: ResourceLimits | undefined
  /** Milliseconds in which it must be ready; `Infinity` for no limit. */
  readonly timeout: number
  readonly preload: readonly string[] | undefined
}

const overflows: readonly Overflow[] = ['drop-newest', 'drop-oldest', 'exit']

/**
 * @param entry what the process is called unless the options tell
 * @param makeRef makes the reference of a monitor that has none
 * @throws BeamlineError INVALID_TYPE, BAD_ENTRY
 */
export function birthrightOf(options: InnerOptions, entry: string, makeRef: () => Ref): Birthright {
  const { name, thread = 'auto', link = false, monitor = false, resourceLimits, mailbox, label = entry } = options
  const { timeout = Number.POSITIVE_INFINITY, preload } = options
  const names = name === undefined ? [] : isList(name) ? name : [name]
  if (mailbox !== undefined && !isMailboxLimit(mailbox)) {
    const text = `mailbox: give { limit: a whole number above 0, overflow: ${overflows.join(' | ')} }`
    throw new BeamlineError('INVALID_TYPE', text)
  }
  if (resourceLimits !== undefined && !areLimits(resourceLimits)) {
    throw new BeamlineError('INVALID_TYPE', 'resourceLimits: give an object of numbers, as to a Worker')
  }
  if (resourceLimits !== undefined && thread !== 'isolated') {
    throw new BeamlineError('BAD_ENTRY', "resourceLimits belong to a thread of its own: add thread: 'isolated'")
  }
  if (!(typeof timeout === 'number' && timeout >= 0)) {
    throw new BeamlineError('INVALID_TYPE', `timeout is ${shown(timeout)}: give milliseconds, 0 or more`)
  }
  const ref = monitor === true ? makeRef() : monitor || undefined
  return { label, names, thread, link, monitor: ref, resourceLimits, mailbox, timeout, preload }
}

const isList = (names: Name | readonly Name[]): names is readonly Name[] => Array.isArray(names)

function isMailboxLimit({ limit, overflow }: MailboxLimit): boolean {
  return Number.isInteger(limit) && limit > 0 && overflows.includes(overflow)
}

function areLimits(limits: unknown): boolean {
  return typeof limits === 'object' && limits !== null && Object.values(limits).every((one) => typeof one === 'number')
}
