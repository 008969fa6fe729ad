import type { Behaviour } from '../../actors/behaviour.js'
import { isDown } from '../../actors/messages.js'
import type { Process } from '../../actors/process.js'
import type { BeamlineError } from '../../errors.js'
import type { Pid, Ref } from '../../threads/pid.js'
import type { BridgeResync, BridgeState, ToHandle } from './messages.js'

export interface BridgeEvents {
  readonly state: (state: BridgeState, error: BeamlineError | undefined) => void
  readonly resync: (resync: BridgeResync) => void
}

type Listeners = { readonly [E in keyof BridgeEvents]: Set<BridgeEvents[E]> }

/** How a bridge stands, as its handle knows it: kept by a process on the handle's thread, which the bridge tells. */
export class Standing {
  state: BridgeState = 'connecting'
  /** The process that is the bridge now. */
  pid: Pid | undefined
  readonly listeners: Listeners = { state: new Set(), resync: new Set() }

  /** The process that keeps it. */
  keeper(self: Process): Behaviour {
    let monitor: Ref | undefined
    return {
      handle: (message) => {
        if (isDown(message)) {
          // Its thread has died: another takes its place.
          if (monitor?.equals(message.ref)) this.become('reconnecting', undefined)
        } else if (isToHandle(message)) {
          if (message.kind === 'resync') return this.#tell(this.listeners.resync, message.resync)
          if (this.pid === undefined || !this.pid.equals(message.pid)) monitor = self.monitor(message.pid)
          const again = this.pid !== undefined && message.state === 'connecting'
          this.pid = message.pid
          this.become(again && this.state !== 'connecting' ? 'reconnecting' : message.state, message.error)
        }
      },
    }
  }

  become(state: BridgeState, error: BeamlineError | undefined): void {
    if (this.state === state || this.state === 'closed') return
    this.state = state
    this.#tell(this.listeners.state, state, error)
  }

  #tell<A extends unknown[]>(listeners: ReadonlySet<(...args: A) => void>, ...args: A): void {
    for (const listener of [...listeners]) {
      try {
        listener(...args)
      } catch (error) {
        process.emitWarning(`a listener of a bridge threw: ${error instanceof Error ? error.message : error}`)
      }
    }
  }
}

function isToHandle(message: unknown): message is ToHandle {
  const kind = typeof message === 'object' && message !== null ? (message as { kind?: unknown }).kind : undefined
  return kind === 'state' || kind === 'resync'
}
