import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { BeamlineError, shown } from '../errors.js'
import type { Clock } from '../threads/clock.js'
import { Deadlines } from '../threads/deadlines.js'
import type { Polling } from '../threads/poller.js'

export interface SystemOptions {
  /** Part of every pid's text; made up unless told. */
  readonly name?: string
  /** Worker threads that share out the processes; as many as the machine has cores unless told. */
  readonly threads?: number
  /** Worker threads for the library's own actors, such as contexts, which run no user's process unless asked to; 1. */
  readonly systemThreads?: number
  /** The most processes that live at one time; 1,048,576. */
  readonly maxProcesses?: number
  /** Milliseconds without a turn of its event loop after which a shared thread is ended; 3000. `Infinity`: never. */
  readonly stuckAfter?: number
  /** The same for a thread with a process that was told to die by `kill`; 1000. */
  readonly killGrace?: number
  /**
   * Worker threads kept warm for the next isolated processes: each is booted and has loaded the modules that isolated
   * processes were spawned from lately, so that what a module does while it loads also happens in threads that wait.
   * Unless told: none until the first isolated spawn, then 2. A given number is kept from the start; 0 keeps none. A
   * process with `resourceLimits` always has a fresh thread. Unless it is 0, one more waits to take the place of a system
   * thread, from the first context on, with the modules that system threads run.
   */
  readonly spares?: number
  /**
   * How signals travel between threads: through shared memory (`ring`), or by message ports alone (`port`), which takes some
   * fifty times longer and no polling. `ring` unless told, or what the environment's `BEAMLINE_TRANSPORT` says.
   */
  readonly transport?: 'ring' | 'port'
  /** How a thread waits for its peers before it sleeps; see `docs/performance.md`. On one core it never looks, but sleeps. */
  readonly polling?: Partial<Polling>
  /** Bytes of shared memory for what is on its way from one thread to another, a power of two; 1,048,576. */
  readonly ringSize?: number
  /** The time of the main thread; the real time unless told. */
  readonly clock?: Clock
}

const MOST_THREADS = 1024
/** Microseconds. */
const SPIN = 50
const LINGER = 2000
const MOST_POLLING = 1_000_000
const LEAST_RING = 16_384
const MOST_RING = 2 ** 28
const MOST_PROCESSES = 1 << 28
/** Milliseconds, 24 days: about what a timer can wait. */
const LONGEST_STOP = 24 * 24 * 3_600_000

/** Without `spares` the keeper decides. */
type Settings = Required<Omit<SystemOptions, 'spares' | 'polling'>> & {
  readonly spares: number | undefined
  readonly polling: Polling
}

/** The options of a start, complete. @throws BeamlineError INVALID_TYPE for one that is out of its range */
export function settingsOf(options: SystemOptions): Settings {
  return {
    name: options.name ?? `beamline-${randomBytes(3).toString('hex')}`,
    clock: options.clock ?? new Deadlines(),
    stuckAfter: within('start: stuckAfter', options.stuckAfter ?? 3000, 1, Number.POSITIVE_INFINITY),
    killGrace: within('start: killGrace', options.killGrace ?? 1000, 1, Number.POSITIVE_INFINITY),
    threads: whole('threads', options.threads ?? availableParallelism(), MOST_THREADS),
    systemThreads: whole('systemThreads', options.systemThreads ?? 1, MOST_THREADS),
    maxProcesses: whole('maxProcesses', options.maxProcesses ?? 1 << 20, MOST_PROCESSES),
    spares: options.spares === undefined ? undefined : whole('spares', options.spares, MOST_THREADS, 0),
    transport: transportOf(options.transport ?? process.env['BEAMLINE_TRANSPORT'] ?? 'ring'),
    polling: pollingOf(options.polling ?? {}),
    ringSize: ringSizeOf(options.ringSize ?? 2 ** 20),
  }
}

function transportOf(transport: string): 'ring' | 'port' {
  if (transport === 'ring' || transport === 'port') return transport
  throw new BeamlineError('INVALID_TYPE', `ActorSystem.start: transport is ${shown(transport)}: give 'ring' or 'port'`)
}

/** A core that looks for signals is kept from sending any: with one core, nobody may look. */
function pollingOf({ spin, linger }: Partial<Polling>): Polling {
  const alone = availableParallelism() === 1
  return {
    spin: within('start: polling.spin', spin ?? (alone ? 0 : SPIN), 0, MOST_POLLING),
    linger: within('start: polling.linger', linger ?? (alone ? 0 : LINGER), 0, MOST_POLLING),
  }
}

function ringSizeOf(size: number): number {
  if (Number.isInteger(size) && size >= LEAST_RING && size <= MOST_RING && (size & (size - 1)) === 0) return size
  const text = `ActorSystem.start: ringSize is ${shown(size)}: give a power of two from ${LEAST_RING} to ${MOST_RING}`
  throw new BeamlineError('INVALID_TYPE', text)
}

/** The timeout of a stop, as a timer can wait it. @throws BeamlineError INVALID_TYPE */
export function stopTimeout(timeout: number): number {
  return Math.min(within('stop: timeout', timeout, 0, Number.POSITIVE_INFINITY), LONGEST_STOP)
}

function whole(option: string, value: number, most: number, least = 1): number {
  if (Number.isInteger(value)) return within(`start: ${option}`, value, least, most)
  throw new BeamlineError('INVALID_TYPE', `ActorSystem.start: ${option} is ${shown(value)}: give a whole number`)
}

function within(option: string, value: number, least: number, most: number): number {
  if (typeof value === 'number' && value >= least && value <= most) return value
  const text = `ActorSystem.${option} is ${shown(value)}: give a number from ${least} to ${most}`
  throw new BeamlineError('INVALID_TYPE', text)
}
