import { BeamlineError } from '../errors.js'
import type { Payload } from './payload.js'
import type { RawPid } from './pid.js'
import type { ReplySignal, Signal } from './signal.js'
import { ValueReader } from './value-reader.js'
import { ValueWriter } from './value-writer.js'
import type { Wire } from './wire.js'
import { WireReader, WireWriter } from './wire-codec.js'

/** The kinds of records in a ring. */
export const MESSAGE = 1
export const CALL = 2
export const REPLY = 3
export const WIRE = 4
/** Any signal, as one plain value. */
export const SIGNAL = 5
/** Any signal, by the general codec. */
export const GENERAL = 6
/** The signal is the next on the message port. */
export const ELSEWHERE = 7

/** Bytes that a signal may take in the compact form; one that needs more is written once more, with more room. */
export const COMPACT = 2048

// Flags of messages and calls.
const TAGGED = 1
const CAST = 2
const ALIASED = 4
const SYSTEM = 8

const outcomes = ['value', 'error', 'exit'] as const

/** Writes signals into the memory of a ring in their compact form. */
export class SignalWriter {
  readonly #values: ValueWriter
  readonly #ints: Int32Array
  readonly #doubles: Float64Array
  readonly #wires: WireWriter
  /** The kind of the last record: of that which {@link write} wrote, or of one of another form that came after it. */
  kind = 0

  constructor(memory: SharedArrayBuffer) {
    this.#values = new ValueWriter(memory)
    this.#wires = new WireWriter(memory, this.#values)
    this.#ints = new Int32Array(memory)
    this.#doubles = new Float64Array(memory, 0, memory.byteLength >>> 3)
  }

  /** Writes `signal` at `at`, a multiple of 8. @returns the byte behind it, or FULL or UNFIT as of {@link ValueWriter} */
  write(signal: Signal, at: number, limit: number): number {
    switch (signal.kind) {
      case 'wire':
        return this.writeWire(signal, at, limit)
      case 'message': {
        const { to, body, cast, alias } = signal
        this.kind = MESSAGE
        const flags = (cast ? CAST : 0) | (alias === undefined ? 0 : ALIASED)
        this.#doubles[at >>> 3] = alias ?? 0
        this.#address((at >>> 2) + 2, to)
        return this.#body(body, flags, at + 16, at + 24, limit)
      }
      case 'call':
      case 'system': {
        const { to, from, ref, body } = signal
        this.kind = CALL
        const ints = this.#ints
        const word = at >>> 2
        this.#doubles[at >>> 3] = ref[1]
        ints[word + 2] = ref[0]
        ints[word + 3] = from[0]
        this.#address(word + 4, to)
        this.#address(word + 6, from)
        return this.#body(body, signal.kind === 'system' ? SYSTEM : 0, at + 32, at + 40, limit)
      }
      case 'reply': {
        const { ref, outcome, body } = signal
        this.kind = REPLY
        this.#doubles[at >>> 3] = ref[1]
        this.#ints[(at >>> 2) + 2] = ref[0]
        this.#ints[(at >>> 2) + 3] = outcomes.indexOf(outcome)
        return this.#body(body, 0, at + 16, at + 24, limit)
      }
      default:
        this.kind = SIGNAL
        return this.#values.write(signal, at, limit)
    }
  }

  /** As {@link write}. The kind says the operation of a compact message too, and which of its parts are there. */
  writeWire(wire: Wire, at: number, limit: number): number {
    const end = this.#wires.write(wire, at, limit)
    this.kind = WIRE | (this.#wires.head << 8)
    return end
  }

  /** As {@link WireWriter.follows}, if the last record is that of the message before it. */
  follows(wire: Wire): boolean {
    return (this.kind & 255) === WIRE && ((this.kind >> 8) & 255) === wire.op && this.#wires.follows(wire)
  }

  append(wire: Wire, at: number, limit: number): number {
    return this.#wires.append(wire, at, limit)
  }

  #address(word: number, pid: RawPid): void {
    this.#ints[word] = pid[1]
    this.#ints[word + 1] = pid[2]
  }

  #body({ data, tagged }: Payload, flags: number, flagsAt: number, at: number, limit: number): number {
    this.#ints[flagsAt >>> 2] = flags | (tagged ? TAGGED : 0)
    return this.#values.write(data, at, limit)
  }
}

/** Reads signals from the memory of a ring. */
export class SignalReader {
  readonly #values: ValueReader
  readonly #ints: Int32Array
  readonly #doubles: Float64Array
  readonly #peer: number
  readonly #here: number
  readonly #wires: WireReader

  /** @param peer the number of the thread that sends, @param here that of the one that receives */
  constructor(memory: SharedArrayBuffer, peer: number, here: number) {
    this.#values = new ValueReader(memory)
    this.#wires = new WireReader(memory, this.#values)
    this.#ints = new Int32Array(memory)
    this.#doubles = new Float64Array(memory, 0, memory.byteLength >>> 3)
    this.#peer = peer
    this.#here = here
  }

  /** The signal of a record of one of the compact kinds. A wire is good until the next one is read. */
  read(kind: number, at: number, end: number): Signal {
    const ints = this.#ints
    const word = at >>> 2
    switch (kind & 255) {
      case WIRE:
        return this.#wires.read(kind >> 8, at, end)
      case MESSAGE: {
        const alias = this.#doubles[at >>> 3] as number
        const flags = ints[word + 4] as number
        const to = this.#address(this.#here, word + 2)
        const body = this.#body(flags, at + 24, end)
        const cast = (flags & CAST) !== 0
        return (flags & ALIASED) === 0
          ? { kind: 'message', to, body, cast }
          : { kind: 'message', to, body, cast, alias }
      }
      case CALL: {
        const flags = ints[word + 8] as number
        const ref = [ints[word + 2] as number, this.#doubles[at >>> 3] as number] as const
        const to = this.#address(this.#here, word + 4)
        const from = this.#address(ints[word + 3] as number, word + 6)
        const body = this.#body(flags, at + 40, end)
        return { kind: (flags & SYSTEM) === 0 ? 'call' : 'system', to, from, ref, body }
      }
      case REPLY: {
        const ref = [ints[word + 2] as number, this.#doubles[at >>> 3] as number] as const
        const outcome = outcomes[ints[word + 3] as number] as ReplySignal['outcome']
        return { kind: 'reply', ref, outcome, body: this.#body(ints[word + 4] as number, at + 24, end) }
      }
      case SIGNAL:
        return this.#values.read(at, end) as Signal
      default:
        throw new BeamlineError('CORRUPT', `thread ${this.#peer} sent a record of kind ${kind}, which there is not`)
    }
  }

  /** Makes `wire`, the last that was read, the one behind it in its record, if there is one. */
  next(wire: Wire, end: number): boolean {
    return this.#wires.next(wire, end)
  }

  #address(thread: number, word: number): RawPid {
    return [thread, this.#ints[word] as number, this.#ints[word + 1] as number]
  }

  #body(flags: number, at: number, end: number): Payload {
    return { data: this.#values.read(at, end), tagged: (flags & TAGGED) !== 0 }
  }
}
