import { randomUUID } from 'node:crypto'
import { behaviour } from '../../actors/behaviour.js'
import { ownerOf } from '../../actors/owner.js'
import type { Process } from '../../actors/process.js'
import type { ActorSystem } from '../../actors/system.js'
import { BeamlineError, shown } from '../../errors.js'
import { Supervisor } from '../../supervisor/supervisor.js'
import type { Pid } from '../../threads/pid.js'
import type { ContextHost, Home } from '../../variables/upstream.js'
import type { BridgeInfo, BridgeRequest, BridgeState, BridgeStats } from './messages.js'
import { argsOf, type BridgeArgs, type BridgeOptions } from './options.js'
import { type BridgeEvents, Standing } from './standing.js'
import { homeBehind } from './way.js'

const actor = { module: new URL('./bridge-actor.js', import.meta.url), export: 'bridgeActor' }

/** Milliseconds in which a bridge that is closed must have said so. */
const CLOSING = 3000

/**
 * A connection to a bridge's server, for contexts that live in its sessions. The handle belongs to the process that made
 * it; the bridge is a process of its own on a thread of its own. When the connection is lost it connects again, for ever.
 */
export class Bridge implements AsyncDisposable, ContextHost {
  readonly address: string
  /** Whoever has this registered name is the bridge, also after its thread has died. */
  readonly name: string
  readonly #owner: Process
  readonly #supervisor: Supervisor
  readonly #keeper: Pid
  readonly #standing: Standing
  #closing: Promise<void> | undefined

  private constructor(address: string, name: string, owner: Process, parts: BridgeParts) {
    this.address = address
    this.name = name
    this.#owner = owner
    this.#supervisor = parts.supervisor
    this.#keeper = parts.keeper
    this.#standing = parts.standing
  }

  /**
   * Connects to a server.
   * @param address `host:port` or `unix:/path`
   * @throws BeamlineError UNAVAILABLE when nobody answers there, UNAUTHENTICATED, PERMISSION_DENIED; INVALID_TYPE for
   * what is no address or no option
   */
  static async connect(by: ActorSystem | Process, address: string, options: BridgeOptions = {}): Promise<Bridge> {
    const checked = argsOf(address, options)
    const owner = ownerOf(by)
    const name = `beamline.bridge.${randomUUID().slice(0, 8)}`
    const standing = new Standing()
    const keeper = await owner.spawn(
      behaviour((self) => standing.keeper(self)),
      undefined,
      { label: 'BridgeStanding' },
    )
    const args: BridgeArgs = { ...checked, name, clientId: randomUUID(), observer: keeper }
    try {
      const supervisor = await superviseBridge(by, args)
      const bridge = new Bridge(address, name, owner, { supervisor, keeper, standing })
      await bridge.#ready()
      return bridge
    } catch (error) {
      owner.exit(keeper, 'shutdown')
      throw error
    }
  }

  /** The process that is the bridge at present. */
  get pid(): Pid {
    const pid = this.#owner.system.whereis(this.name) ?? this.#standing.pid
    if (pid !== undefined) return pid
    throw new BeamlineError('NOPROC', `the bridge to ${this.address} does not run: connect again`)
  }

  get state(): BridgeState {
    return this.#standing.state
  }

  /**
   * Hears of every change of {@link state}, or of changes that could not be told one by one to the contexts of a session.
   * @returns what removes the listener
   */
  on<E extends keyof BridgeEvents>(event: E, listener: BridgeEvents[E]): () => void {
    const listeners = Object.hasOwn(this.#standing.listeners, event) ? this.#standing.listeners[event] : undefined
    if (listeners === undefined)
      throw new BeamlineError('INVALID_TYPE', `${shown(event)} is no event: give 'state' or 'resync'`)
    if (typeof listener !== 'function')
      throw new BeamlineError('INVALID_TYPE', `${shown(listener)} is no listener: give a function`)
    const set = listeners as Set<BridgeEvents[E]>
    set.add(listener)
    return () => set.delete(listener)
  }

  /** @throws BeamlineError NOPROC after `close`; CALL_TIMEOUT */
  async stats(): Promise<BridgeStats> {
    return ((await this.#ask({ kind: 'info' })) as BridgeInfo).stats
  }

  /** Ends the bridge, once what was sent has been answered, or a second is over. Contexts behind it are told. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** @internal Where contexts are that live behind this bridge. */
  home(create: boolean): Home {
    return homeBehind(this.name, create)
  }

  async #ready(): Promise<void> {
    try {
      await this.#ask({ kind: 'ready' }, Number.POSITIVE_INFINITY)
    } catch (error) {
      await this.close()
      throw error
    }
    if (this.state === 'connecting') this.#standing.become('ready', undefined)
  }

  async #close(): Promise<void> {
    await quietly(this.#ask({ kind: 'close' }, CLOSING))
    this.#standing.become('closed', undefined)
    await quietly(this.#supervisor.stop())
    this.#owner.exit(this.#keeper, 'shutdown')
  }

  #ask(request: BridgeRequest, timeout = 5000): Promise<unknown> {
    return this.#owner.call(this.name, request, { timeout })
  }
}

interface BridgeParts {
  readonly supervisor: Supervisor
  readonly keeper: Pid
  readonly standing: Standing
}

/** A bridge whose thread dies is started again, however often. */
function superviseBridge(by: ActorSystem | Process, args: BridgeArgs): Promise<Supervisor> {
  const options = { thread: 'isolated', name: args.name, label: `Bridge ${args.address}` } as const
  const child = { id: 'bridge', start: { entry: actor, args, options }, restart: 'transient' } as const
  const backoff = { initial: 50, max: 5000, jitter: 0.5 }
  return Supervisor.start(by, [child], { maxRestarts: Number.POSITIVE_INFINITY, backoff })
}

/** What is over already needs no ending. */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (!(error instanceof BeamlineError)) throw error
  }
}
