import { randomUUID } from 'node:crypto'
import { ownerOf } from '../../actors/owner.js'
import type { Process } from '../../actors/process.js'
import type { ActorSystem } from '../../actors/system.js'
import { BeamlineError, shown } from '../../errors.js'
import { Supervisor } from '../../supervisor/supervisor.js'
import type { Pid } from '../../threads/pid.js'
import type { ServerArgs, ServerRequest } from './server-actor.js'
import type { Binding } from './server-memory-actor.js'
import { type BridgeServerOptions, type ServerSettings, settingsOf } from './server-options.js'
import { type StoreArgs, StoreLine, storeEntry } from './session-store.js'
import { ServerSessions } from './sessions.js'
import { HostTools } from './tools/index.js'

const entryOf = (file: string, name: string) => ({ module: new URL(file, import.meta.url), export: name })
const memoryEntry = entryOf('./server-memory-actor.js', 'serverMemoryActor')
const serverEntry = entryOf('./server-actor.js', 'serverActor')

/** Waits before a server is started again: for as long as it takes, as its address may be free later. */
const backoff = { initial: 10, max: 5000 }
const GRACE = 5000
/** Milliseconds that a server may answer later than it should have ended. */
const LATE = 5000

/** What `stats` tells. */
export interface BridgeServerStats {
  readonly address: string
  /** How often it was started: more than once when its thread has died. */
  readonly starts: number
  readonly sessions: number
  /** Counts of its present life: connections, calls, refused calls, open streams, and what its services count. */
  readonly counts: Readonly<Record<string, number>>
}

interface Parts {
  readonly owner: Process
  readonly supervisor: Supervisor
  readonly memory: Pid
  readonly store: StoreLine
  readonly serverName: string
  readonly tools: HostTools
  readonly address: string
}

/**
 * A gRPC server before the contexts of a system: its sessions are contexts, which clients anywhere read, write and watch.
 * It runs on a thread of its own and, when that dies, is started again at the same address; sessions live on meanwhile.
 */
export class BridgeServer implements AsyncDisposable {
  /** Its sessions, for the host. */
  readonly sessions: ServerSessions
  /** The host's functions that clients may call. */
  readonly tools: HostTools
  /** Where it listens, with the port that it got. */
  readonly address: string
  readonly #parts: Parts
  #stopped: Promise<void> | undefined

  private constructor(parts: Parts) {
    this.#parts = parts
    this.address = parts.address
    this.tools = parts.tools
    this.sessions = new ServerSessions(parts.owner, parts.store)
  }

  /**
   * Starts a server. `by` owns it: it ends with that process, or with the system.
   * @throws BeamlineError INVALID_TYPE for an option that is not right, `details.option` names it; PERMISSION_DENIED for an
   * address that is too open, or not allowed; UNAVAILABLE for one in use; NOT_FOUND for one that is not there
   */
  static async start(by: ActorSystem | Process, options: BridgeServerOptions = {}): Promise<BridgeServer> {
    const owner = ownerOf(by)
    const settings = settingsOf(options)
    const memory = await owner.spawn(memoryEntry, undefined, { thread: 'main', label: 'BridgeServer memory' })
    const undo: (() => Promise<unknown>)[] = [async () => owner.exit(memory, 'kill')]
    try {
      const tools = await HostTools.start(owner)
      undo.push(() => tools.stop())
      const supervisor = await Supervisor.start(by, [], { maxRestarts: Number.POSITIVE_INFINITY, backoff })
      undo.push(() => supervisor.stop('shutdown'))
      return new BridgeServer(await startParts(owner, settings, { memory, supervisor, tools }))
    } catch (error) {
      for (const step of undo.reverse()) await step()
      throw error
    }
  }

  /** @throws BeamlineError UNAVAILABLE while the server is being started again, STOPPED */
  async stats(): Promise<BridgeServerStats> {
    const { owner, memory, serverName, address } = this.#parts
    this.#assertRunning()
    const request: ServerRequest = { kind: 'stats' }
    try {
      const [counts, { starts }, sessions] = await Promise.all([
        owner.call(serverName, request) as Promise<Record<string, number>>,
        owner.call(memory, 'address') as Promise<Binding>,
        this.sessions.list(),
      ])
      return { address, starts, sessions: sessions.length, counts }
    } catch (error) {
      if (!isGone(error)) throw error
      throw new BeamlineError('UNAVAILABLE', `the server at ${address} is being started again: try again`, {
        cause: error,
      })
    }
  }

  /**
   * Takes no more calls, lets those that run and the streams come to an end for `grace` milliseconds, 5000 unless told, and
   * cuts off the rest. Then its sessions end, and nothing of it is left.
   * @throws BeamlineError INVALID_TYPE for a grace that is none; it runs on then
   */
  stop({ grace = GRACE }: { readonly grace?: number } = {}): Promise<void> {
    if (typeof grace !== 'number' || !(grace >= 0)) {
      const text = `BridgeServer.stop: grace is ${shown(grace)}: give milliseconds, 0 or more`
      return Promise.reject(new BeamlineError('INVALID_TYPE', text, { details: { option: 'grace' } }))
    }
    this.#stopped ??= this.#stop(grace)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    const { owner, serverName, store, supervisor, tools, memory } = this.#parts
    const drain: ServerRequest = { kind: 'drain', graceMs }
    // A thread that stands still answers nothing: it is ended all the same.
    const timeout = graceMs + LATE
    await unlessGone(() => owner.call(serverName, drain, { timeout }), ['CALL_TIMEOUT'])
    await unlessGone(() => supervisor.terminateChild('server'))
    await unlessGone(() => store.ask({ kind: 'close' }))
    store.end()
    await unlessGone(() => supervisor.stop('shutdown'))
    await unlessGone(() => tools.stop())
    await unlessGone(() => owner.stop(memory, 'shutdown'))
  }

  #assertRunning(): void {
    if (this.#stopped === undefined) return
    throw new BeamlineError('STOPPED', `the server at ${this.address} has been stopped: start another`)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Starts the store and then the server, under their supervisor. */
async function startParts(
  owner: Process,
  settings: ServerSettings,
  given: Pick<Parts, 'memory' | 'supervisor' | 'tools'>,
): Promise<Parts> {
  const { memory, supervisor, tools } = given
  const key = randomUUID()
  const [storeName, serverName] = [`beamline.sessions.${key}`, `beamline.server.${key}`]
  const storeArgs: StoreArgs = { memory, ttlMs: settings.ttlMs, maxSessions: settings.limits.maxSessions }
  const storeOptions = { thread: 'system', name: storeName, label: 'BridgeServer sessions' } as const
  await supervisor.startChild({ id: 'sessions', start: { entry: storeEntry, args: storeArgs, options: storeOptions } })
  const args: ServerArgs = { settings, memory, store: storeName, hostTools: tools.pid }
  const options = { thread: 'isolated', name: serverName, label: 'BridgeServer' } as const
  try {
    await supervisor.startChild({ id: 'server', start: { entry: serverEntry, args, options } })
  } catch (error) {
    // Why it could not listen it has left behind.
    throw ((await owner.call(memory, 'address')) as Binding).error ?? error
  }
  const { address = '' } = (await owner.call(memory, 'address')) as Binding
  return { owner, supervisor, memory, tools, serverName, store: new StoreLine(owner, storeName), address }
}

const isGone = (error: unknown): boolean =>
  error instanceof BeamlineError && ['NOPROC', 'STOPPED', 'UNAVAILABLE'].includes(error.code)

/** What has ended before needs no end. */
async function unlessGone(end: () => Promise<unknown>, others: readonly string[] = []): Promise<void> {
  try {
    await end()
  } catch (error) {
    if (isGone(error) || (error instanceof BeamlineError && others.includes(error.code))) return
    throw error
  }
}
