import { createRing, largestPayload, RingReader, RingWriter } from '../../src/threads/ring.js'
import { assert } from '../harness.js'

/** Where the records begin in the memory, and the words of the two positions. */
export const HEADER = 128
export const TAIL = 0
export const HEAD = 16

/** A small ring with both its ends in this thread. `position` is where both stand. */
export function ring(size = 1024, position = 0) {
  const memory = createRing(size)
  const words = new Int32Array(memory)
  words[TAIL] = words[HEAD] = position
  const writer = new RingWriter(memory)
  const reader = new RingReader(memory)
  const bytes = new Uint8Array(memory)
  return {
    memory,
    words,
    writer,
    reader,
    largest: largestPayload(size),
    /** Commits a record of as many bytes, all of them `kind`. @returns whether there was room */
    commit(kind: number, length: number): boolean {
      const at = writer.begin(length)
      if (at < 0) return false
      assert.ok(at >= HEADER && at + length <= HEADER + size && at % 8 === 0, `a place at ${at}`)
      bytes.fill(kind, at, at + length)
      writer.commit(kind, length)
      return true
    },
    /** What is read, as `kind:length`. */
    read(): string[] {
      const seen: string[] = []
      reader.read((kind, at, end) => {
        assert.ok(bytes.subarray(at, end).every((byte) => byte === kind))
        seen.push(`${kind}:${end - at}`)
      })
      return seen
    },
  }
}
