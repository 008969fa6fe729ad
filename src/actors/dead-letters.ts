import { channel } from 'node:diagnostics_channel'
import { BeamlineError, shown } from '../errors.js'
import { pack } from '../threads/payload.js'
import type { Pid } from '../threads/pid.js'
import type { Cell } from './cell.js'
import { sendable } from './exit-reason.js'
import type { Host } from './host.js'
import { Call } from './messages.js'

/** A message that nobody took: its process was dead, its mailbox full, or its alias no longer active. */
export interface DeadLetter {
  /** The process it was for. */
  readonly to: Pid
  readonly message: unknown
}

export type DeadLetterListener = (letter: DeadLetter) => void

const diagnostics = channel('beamline:deadLetter')

/** The dead letters of one thread, and those who listen on it to the dead letters of all. */
export class DeadLetters {
  readonly #host: Host
  readonly #listeners = new Set<{ readonly hear: DeadLetterListener }>()

  constructor(host: Host) {
    this.#host = host
  }

  /** A message for nobody: counted, and told to those who listen. */
  post(to: Pid, message: unknown): void {
    const { ledger, mesh, thread } = this.#host
    ledger.count('deadLetters')
    if (diagnostics.hasSubscribers) diagnostics.publish({ to, message })
    for (const listening of ledger.listeners()) {
      const letter = sendable(message)
      if (listening === thread) this.hear(to, letter)
      else mesh.send(listening, { kind: 'dead-letter', to: to.raw, body: pack(letter) })
    }
  }

  /** A message for a full mailbox: a caller is told, all else is nobody's. */
  overflowed(cell: Cell, message: unknown): void {
    if (!(message instanceof Call)) return this.post(cell.pid, message)
    const text = `the mailbox of ${cell.birth.label} is full: call again later, or give it a larger limit`
    this.#host.router.reply(cell, message.from, 'error', new BeamlineError('MAILBOX_FULL', text))
  }

  /** Tells the listeners of this thread, after the code that runs now, which may be that of the sender. */
  hear(to: Pid, message: unknown): void {
    for (const listener of this.#listeners) {
      queueMicrotask(() => {
        if (this.#listeners.has(listener)) tell(listener.hear, { to, message })
      })
    }
  }

  /** @returns what removes the listener */
  listen(hear: DeadLetterListener): () => void {
    const listener = { hear }
    if (this.#listeners.size === 0) this.#host.ledger.listen(this.#host.thread)
    this.#listeners.add(listener)
    return () => {
      if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#host.ledger.leave(this.#host.thread)
    }
  }

  close(): void {
    this.#listeners.clear()
    this.#host.ledger.leave(this.#host.thread)
  }
}

/** What a listener throws harms nobody. */
function tell(hear: DeadLetterListener, letter: DeadLetter): void {
  try {
    hear(letter)
  } catch (error) {
    process.emitWarning(`a listener to dead letters failed: ${shown(error)}`, { code: 'BEAMLINE_LISTENER' })
  }
}
