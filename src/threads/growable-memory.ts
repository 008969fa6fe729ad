import { BeamlineError } from '../errors.js'

/** A SharedArrayBuffer that grows in place: ES2024, which the ES2023 library does not declare yet. */
interface GrowableBuffer extends SharedArrayBuffer {
  readonly maxByteLength: number
  grow(bytes: number): void
}

const Growable = SharedArrayBuffer as unknown as new (
  bytes: number,
  options: { maxByteLength: number },
) => GrowableBuffer

const page = 65_536

/** Reserves `maxBytes` of address space and commits enough of it for `bytes`; all of it reads as zero. */
export function createGrowable(bytes: number, maxBytes: number): SharedArrayBuffer {
  return new Growable(Math.min(pages(bytes), maxBytes), { maxByteLength: maxBytes })
}

/**
 * Makes `buffer` at least `bytes` long, or throws OVERFLOW and leaves it as it is.
 *
 * Views are made with a fixed length and remade after growth: V8 reads a length-tracking view ten times slower.
 */
export function ensureBytes(buffer: SharedArrayBuffer, bytes: number): void {
  const have = buffer.byteLength
  if (bytes <= have) return
  const growable = buffer as GrowableBuffer
  const max = growable.maxByteLength
  if (bytes > max) {
    throw new BeamlineError('OVERFLOW', `${bytes} bytes are needed and the limit of this shared memory is ${max}`, {
      details: { needed: bytes, limit: max },
    })
  }
  growable.grow(Math.min(pages(Math.max(bytes, 2 * have)), max))
}

const pages = (bytes: number): number => Math.ceil(bytes / page) * page

const strong = process.arch === 'x64' || process.arch === 'ia32'
const cell = new Int32Array(1)

/**
 * Keeps plain reads and writes of shared memory on their side of an atomic access. An atomic load stops only later
 * accesses from moving before it, an atomic store only earlier ones from moving behind it: on ARM a seqlock's plain
 * reads could slip behind its second look at the sequence. A store followed by a load, both atomic, stops either.
 * x86 never reorders these.
 */
export function fence(): void {
  if (strong) return
  Atomics.store(cell, 0, 0)
  Atomics.load(cell, 0)
}
