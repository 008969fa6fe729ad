import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Batch, type Carrier, type Link, type LinkEvents, warnOfLoss } from './link.js'
import type { Transfer } from './payload.js'
import type { Signal } from './signal.js'
import { notCloneable } from './tree-copier.js'
import { copyOf } from './wire.js'

/** Links carried by message ports, between real threads. */
export const portCarrier: Carrier = {
  pair() {
    const { port1, port2 } = new MessageChannel()
    return [port1, port2]
  },
  attach: (end, peer, batch, events) => new PortLink(peer, end as MessagePort, batch, events),
}

/** A link carried by one `MessagePort` of a channel. */
class PortLink implements Link {
  readonly peer: number
  readonly #port: MessagePort
  readonly #batch: Batch
  readonly #events: LinkEvents
  #held: Signal[] = []
  readonly #transfers = new Map<Signal, Transfer>()

  constructor(peer: number, port: MessagePort, batch: Batch, events: LinkEvents) {
    this.peer = peer
    this.#port = port
    this.#batch = batch
    this.#events = events
    port.on('message', (signals: Signal | readonly Signal[]) => {
      events.arrive(() => {
        if (Array.isArray(signals)) for (const signal of signals) events.receive(signal, peer)
        else events.receive(signals as Signal, peer)
      })
    })
    port.on('messageerror', (error) =>
      warnOfLoss(`a message from thread ${peer} was lost, as it cannot be read here`, error),
    )
    port.on('close', () => events.closed(peer))
  }

  send(signal: Signal, transfer?: Transfer): void {
    if (!this.#batch.open) {
      this.#post(signal, transfer)
      return
    }
    if (this.#held.push(signal.kind === 'wire' ? copyOf(signal) : signal) === 1) this.#batch.add(this)
    if (transfer !== undefined) this.#transfers.set(signal, transfer)
  }

  /** Only cloning itself finds out about a proxy or a buffer that has been transferred before. */
  #post(signal: Signal, transfer: Transfer | undefined): void {
    try {
      this.#port.postMessage(signal, transfer)
    } catch (cause) {
      throw notCloneable(signal, '', cause)
    }
  }

  flush(): void {
    const held = this.#held
    const transfers = new Map(this.#transfers)
    this.#held = []
    this.#transfers.clear()
    try {
      this.#port.postMessage(held.length === 1 ? held[0] : held, [...transfers.values()].flat())
    } catch {
      // One of them cannot be cloned. Its sender is no longer there to be told; the others must not be lost with it.
      for (const signal of held) this.#postOrWarn(signal, transfers.get(signal))
    }
  }

  #postOrWarn(signal: Signal, transfer: Transfer | undefined): void {
    try {
      this.#port.postMessage(signal, transfer)
    } catch (error) {
      warnOfLoss(`a ${signal.kind} to thread ${this.peer} was lost, as it cannot be cloned`, error)
      this.#events.lost?.(signal, notCloneable(signal, '', error))
    }
  }

  close(): void {
    if (this.#held.length > 0) this.flush()
    this.#port.close()
  }
}
