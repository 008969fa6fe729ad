/** Bits for the senders; the sign bit is for the owner. */
const BITS = 31
const PARKED = 1 << BITS

/**
 * One word of shared memory by which a thread learns, at the cost of one load, that any of its peers has sent something:
 * a bit for each peer (two may share one), and one that says that the owner sleeps and has to be woken by a message.
 *
 * Who raises a bit stores what it is about before; who takes the bits looks for it after. So nothing that was sent is
 * overlooked, whatever comes between.
 */
export class Bell {
  readonly memory: SharedArrayBuffer
  /** The bits, and whether the owner dozes. */
  readonly #word: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.memory = memory
    this.#word = new Int32Array(memory)
  }

  /** The bit of the peer with this number. */
  static bitOf(peer: number): number {
    return 1 << (peer % BITS)
  }

  /** Says that the sender with this bit has sent something. @returns whether the owner sleeps: the caller has to wake it */
  raise(bit: number): boolean {
    const word = Atomics.load(this.#word, 0)
    if ((word & bit) !== 0) return false
    if ((Atomics.or(this.#word, 0, bit) & PARKED) === 0) return false
    return (Atomics.and(this.#word, 0, ~PARKED) & PARKED) !== 0
  }

  /** Whether its owner waits for more than signals, and has itself woken for each that it does not expect. */
  get dozes(): boolean {
    return this.#word[1] === 1
  }

  /** From now on its owner {@link dozes}. */
  doze(): void {
    Atomics.store(this.#word, 1, 1)
  }

  /** The bits of those who have sent something since they were last lowered. For the owner, as all that follows. */
  get raised(): number {
    return Atomics.load(this.#word, 0) & ~PARKED
  }

  /** The bits of all who have, which are lowered; the owner is awake. */
  take(): number {
    return Atomics.exchange(this.#word, 0, 0) & ~PARKED
  }

  /** From now on nobody has to wake the owner. */
  unpark(): void {
    Atomics.and(this.#word, 0, ~PARKED)
  }

  /** From now on whoever sends has to wake the owner. @returns false when somebody has sent something already */
  park(): boolean {
    return Atomics.compareExchange(this.#word, 0, 0, PARKED) === 0
  }
}
