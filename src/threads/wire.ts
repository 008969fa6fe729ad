/** The operation of an answer, to whom the serial says; it gives `{ version, revision }` and has nothing else. */
export const ANSWER = 0

/** What a {@link Wire} has beside its operation, its subject and its value. */
export const ASKED = 1
export const DATED = 2
export const REPLACES = 4

/**
 * A compact message of the library's own, for what happens a million times a second: an operation on one subject with a
 * plain value. It is written into shared memory and read from there field by field, and one object serves for all that a
 * thread sends, another for all that it receives: who keeps one makes a copy.
 */
export class Wire {
  readonly kind = 'wire'
  /** The thread that sent it. */
  thread = 0
  /** The process it is for: its slot and generation on the receiving thread. */
  slot = 0
  generation = 0
  /** What is to be done: {@link ANSWER}, or as sender and receiver understand it; 1 to 255. */
  op = 0
  /** Which of the fields below are said. */
  parts = 0
  /** What it is done to, a number that the receiver has given. */
  subject = 0
  /** ASKED: the serial of the answer that is awaited, and the slot and generation of who waits, on the sending thread. */
  serial = 0
  askerSlot = 0
  askerGeneration = 0
  /** DATED: of which commit and version it is, and when that was. */
  revision = 0
  version = 0
  timestamp = 0
  /** REPLACES: the value before. A primitive, as `value` is. */
  previous: unknown = undefined
  value: unknown = undefined
}

/** One that can be kept; `wire` may have come over a port. */
export function copyOf(wire: Wire): Wire {
  const copy = new Wire()
  copy.thread = wire.thread
  copy.slot = wire.slot
  copy.generation = wire.generation
  copy.op = wire.op
  copy.parts = wire.parts
  copy.subject = wire.subject
  copy.serial = wire.serial
  copy.askerSlot = wire.askerSlot
  copy.askerGeneration = wire.askerGeneration
  copy.revision = wire.revision
  copy.version = wire.version
  copy.timestamp = wire.timestamp
  copy.previous = wire.previous
  copy.value = wire.value
  return copy
}

/** Whether its sender waits for an answer. */
export const isQuestion = ({ parts, op }: Wire): boolean => (parts & ASKED) !== 0 && op !== ANSWER
