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

/** Reserves `maxBytes` of address space and commits enough of it for `bytes`, all zero; OVERFLOW when there is none. */
export function createGrowable(bytes: number, maxBytes: number): SharedArrayBuffer {
  return granted(maxBytes, () => new Growable(Math.min(pages(bytes), maxBytes), { maxByteLength: maxBytes }))
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
  const wanted = Math.min(pages(Math.max(bytes, 2 * have)), max)
  granted(wanted, () => growable.grow(wanted))
}

/** V8 calls it an invalid length when the system has no such memory to give. */
function granted<T>(bytes: number, ask: () => T): T {
  try {
    return ask()
  } catch (cause) {
    throw new BeamlineError('OVERFLOW', `the system has no ${bytes} bytes for shared memory: ask for fewer`, {
      details: { needed: bytes },
      cause,
    })
  }
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

/**
 * Shows what was written before to whoever sees this. x86 makes no store visible before an earlier one, and V8 keeps them in
 * their order; an atomic store would wait there until all of them have left the core, five times as long as a commit takes.
 */
export function release(ints: Int32Array, at: number, value: number): void {
  if (strong) ints[at] = value
  else Atomics.store(ints, at, value)
}
