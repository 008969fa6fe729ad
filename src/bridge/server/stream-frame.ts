import type { ServerItem } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { ServerItem as Items } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Standing } from './mirror-standing.js'
import type { Outgoing } from './stream-pending.js'

// The tags of what is written here, `number * 8 + wire type`: see watch.proto.
const VARINT = 0
const BYTES = 2
const tag = (field: number, type: number) => field * 8 + type

const frameSeq = tag(1, VARINT)
const frameItems = tag(2, BYTES)
const itemSnapshot = tag(3, BYTES)
const itemBatch = tag(4, BYTES)
const field1 = tag(1, VARINT)
const field2 = tag(2, VARINT)
const field3 = tag(3, VARINT)
const field4 = tag(4, VARINT)
const snapshotVariables = tag(3, BYTES)
const batchEvents = tag(4, BYTES)
const eventConflated = tag(8, VARINT)
const eventMore = tag(9, VARINT)

/** The bytes of an item of a frame, of which several frames may have need. */
export const itemOf = (kind: ServerItem['kind']): Uint8Array => Items.encode({ kind }).finish()

/** A `ServerFrame` as it is put together: of bytes that are there already, as an event is encoded once for all its watches. */
export class FrameBuilder {
  #bytes = Buffer.allocUnsafe(64 * 1024)
  #length = 0
  #count = 0

  get length(): number {
    return this.#length
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  begin(seq: number): void {
    this.#length = 0
    this.#count = 0
    this.#ensure(16)
    this.#varint(frameSeq)
    this.#varint(seq)
  }

  item(bytes: Uint8Array): void {
    this.#ensure(bytes.length + 16)
    this.#varint(frameItems)
    this.#block(bytes)
    this.#count++
  }

  snapshot(watchId: number, revision: number, variables: readonly Standing[], last: boolean): void {
    let size = varintSize(watchId) + varintSize(revision) + 4
    for (const { body } of variables) size += blockSize(body.length)
    this.#open(itemSnapshot, size)
    this.#field(field1, watchId)
    this.#field(field2, revision)
    for (const { body } of variables) {
      this.#varint(snapshotVariables)
      this.#block(body)
    }
    this.#field(field4, last ? 1 : 0)
  }

  batch(watchId: number, prev: number, through: number, events: readonly Outgoing[]): void {
    let size = varintSize(watchId) + varintSize(prev) + varintSize(through) + 3
    for (const event of events) size += blockSize(lengthOf(event))
    this.#open(itemBatch, size)
    this.#field(field1, watchId)
    this.#field(field2, prev)
    this.#field(field3, through)
    for (const event of events) this.#event(event)
  }

  #event(event: Outgoing): void {
    const { body } = event.entry
    this.#varint(batchEvents)
    this.#varint(lengthOf(event))
    this.#raw(body)
    if (event.conflated > 0) this.#field(eventConflated, event.conflated)
    if (event.more) this.#field(eventMore, 1)
  }

  /** Begins an item whose content has so many bytes. */
  #open(kind: number, size: number): void {
    this.#ensure(size + 32)
    this.#varint(frameItems)
    this.#varint(blockSize(size))
    this.#varint(kind)
    this.#varint(size)
    this.#count++
  }

  #field(fieldTag: number, value: number): void {
    this.#varint(fieldTag)
    this.#varint(value)
  }

  #block(bytes: Uint8Array): void {
    this.#varint(bytes.length)
    this.#raw(bytes)
  }

  #raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  #ensure(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#length + more))
    this.#bytes.copy(larger, 0, 0, this.#length)
    this.#bytes = larger
  }

  /** A copy of the frame. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) size++
  return size
}

/** A tag, a length, and so many bytes. */
const blockSize = (length: number): number => 1 + varintSize(length) + length

const lengthOf = ({ entry, conflated, more }: Outgoing): number =>
  entry.body.length + (conflated > 0 ? 1 + varintSize(conflated) : 0) + (more ? 2 : 0)
