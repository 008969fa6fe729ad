import type { Client, ClientDuplexStream, Metadata, ServiceError } from '@grpc/grpc-js'
import { type ServerFrame, type ServerItem, WatchServiceService } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { type Ending, endingOf, lost } from './status.js'

/** The most bytes of a frame, but for one of a single item. */
const FRAME = 256 * 1024
/** The tag of an item, and its length. */
const AROUND = 6

export interface StreamEvents {
  frame(items: readonly ServerItem[]): void
  /** Once, unless it was cancelled. */
  ended(ending: Ending): void
}

/** One call of the native service: items out, batched by load, and frames in, none of which may be missing. */
export class Stream {
  readonly #client: Client
  readonly #call: ClientDuplexStream<Buffer, ServerFrame>
  readonly #events: StreamEvents
  readonly #address: string
  #queue: Uint8Array[] = []
  #limit = FRAME
  #seq = 0
  #open = true
  #scheduled = false
  #immediate: NodeJS.Immediate | undefined

  constructor(client: Client, metadata: Metadata, address: string, events: StreamEvents) {
    this.#client = client
    this.#address = address
    this.#events = events
    const { path, responseDeserialize } = WatchServiceService.session
    this.#call = client.makeBidiStreamRequest(path, (frame: Buffer) => frame, responseDeserialize, metadata, {})
    this.#call.on('data', (frame: ServerFrame) => this.#take(frame))
    this.#call.on('error', (error: ServiceError) => this.#end(endingOf(error, address)))
    this.#call.on('end', () => this.#end(lost('UNAVAILABLE', `the server at ${address} has ended the stream`)))
  }

  /**
   * Sends an encoded item. Those of one turn go in one frame, and while many come there is one frame for each turn of the
   * event loop.
   */
  send(item: Uint8Array): void {
    this.#queue.push(item)
    if (this.#scheduled) return
    this.#scheduled = true
    if (this.#immediate === undefined) queueMicrotask(this.#flush)
  }

  /** The most bytes that the server takes; 0 if it has not said. */
  limit(bytes: number): void {
    if (bytes > 0) this.#limit = Math.min(FRAME, bytes)
  }

  /** Says that nothing more will be sent, and leaves it to the server to end. */
  finish(): void {
    if (!this.#open) return
    this.#flush()
    this.#call.end()
  }

  /** Gives it up, with its connection. */
  cancel(): void {
    this.#open = false
    clearImmediate(this.#immediate)
    this.#call.cancel()
    this.#client.close()
  }

  readonly #flush = (): void => {
    this.#scheduled = false
    if (!this.#open || this.#queue.length === 0) return
    const items = this.#queue
    this.#queue = []
    let first = 0
    let size = 0
    for (let at = 0; at < items.length; at++) {
      const length = (items[at] as Uint8Array).length + AROUND
      if (size > 0 && size + length > this.#limit) {
        this.#call.write(frameOf(items, first, at))
        first = at
        size = 0
      }
      size += length
    }
    this.#call.write(frameOf(items, first, items.length))
    this.#immediate = setImmediate(this.#turned)
  }

  readonly #turned = (): void => {
    this.#immediate = undefined
    if (this.#scheduled) this.#flush()
  }

  #take({ frameSeq, items }: ServerFrame): void {
    if (!this.#open) return
    if (frameSeq !== this.#seq + 1) {
      const text = `frame ${frameSeq} came from ${this.#address} after ${this.#seq}`
      return this.#end({ ...lost('UNAVAILABLE', text), gap: true })
    }
    this.#seq = frameSeq
    this.#events.frame(items)
  }

  #end(ending: Ending): void {
    if (!this.#open) return
    this.cancel()
    this.#events.ended(ending)
  }
}

/** The bytes of a `ClientFrame`: each of its items, already encoded, with its tag and length. */
function frameOf(items: readonly Uint8Array[], from: number, to: number): Buffer {
  let size = 0
  for (let at = from; at < to; at++) {
    const { length } = items[at] as Uint8Array
    size += 1 + varintSize(length) + length
  }
  const frame = Buffer.allocUnsafe(size)
  let position = 0
  for (let at = from; at < to; at++) {
    const item = items[at] as Uint8Array
    frame[position++] = 0x0a
    let rest = item.length
    for (; rest > 0x7f; rest >>>= 7) frame[position++] = (rest & 0x7f) | 0x80
    frame[position++] = rest
    frame.set(item, position)
    position += item.length
  }
  return frame
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) size++
  return size
}
