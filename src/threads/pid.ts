/** How `console.log` and error messages ask for a text. */
const inspected = Symbol.for('nodejs.util.inspect.custom')

/** A {@link Pid} as plain numbers, the form in which signals carry it. */
export type RawPid = readonly [thread: number, slot: number, generation: number]

/**
 * The address of one process, for ever: it is never reused. `thread` is where the process lives, `slot` its place in
 * the table of live processes, `generation` tells it from earlier processes in that place.
 *
 * Plain data: it may be sent in any message and arrives as a `Pid`. Mirrors Elixir's pid.
 */
export class Pid {
  readonly node: string
  readonly thread: number
  readonly slot: number
  readonly generation: number
  #text: string | undefined

  constructor(node: string, thread: number, slot: number, generation: number) {
    this.node = node
    this.thread = thread
    this.slot = slot
    this.generation = generation
  }

  static fromRaw(node: string, raw: RawPid): Pid {
    return new Pid(node, raw[0], raw[1], raw[2])
  }

  get raw(): RawPid {
    return [this.thread, this.slot, this.generation]
  }

  equals(other: unknown): boolean {
    return (
      other instanceof Pid &&
      other.slot === this.slot &&
      other.generation === this.generation &&
      other.thread === this.thread &&
      other.node === this.node
    )
  }

  /** A text that is equal for equal pids: use it as a map key. */
  toString(): string {
    this.#text ??= `#PID<${this.node}.${this.thread}.${this.slot}.${this.generation}>`
    return this.#text
  }

  toJSON(): string {
    return this.toString()
  }

  /** @internal */
  [inspected](): string {
    return this.toString()
  }
}

/** A {@link Ref} as plain numbers, the form in which signals carry it. */
export type RawRef = readonly [thread: number, serial: number]

/** A value that is unique in its system: names a monitor, a call, a timer or a watch. Mirrors Elixir's reference. */
export class Ref {
  readonly node: string
  readonly thread: number
  readonly serial: number

  constructor(node: string, thread: number, serial: number) {
    this.node = node
    this.thread = thread
    this.serial = serial
  }

  static fromRaw(node: string, raw: RawRef): Ref {
    return new Ref(node, raw[0], raw[1])
  }

  get raw(): RawRef {
    return [this.thread, this.serial]
  }

  equals(other: unknown): boolean {
    return (
      other instanceof Ref && other.serial === this.serial && other.thread === this.thread && other.node === this.node
    )
  }

  /** A text that is equal for equal references: use it as a map key. */
  toString(): string {
    return `#Ref<${this.node}.${this.thread}.${this.serial}>`
  }

  toJSON(): string {
    return this.toString()
  }

  /** @internal */
  [inspected](): string {
    return this.toString()
  }
}

/**
 * An address of a process that can be closed, made by `self.alias()`: what is sent to it after that is dropped before the
 * mailbox. Plain data: it may be sent in any message. Mirrors Erlang's process alias.
 */
export class Alias {
  readonly node: string
  readonly thread: number
  readonly slot: number
  readonly generation: number
  readonly serial: number

  constructor(node: string, thread: number, slot: number, generation: number, serial: number) {
    this.node = node
    this.thread = thread
    this.slot = slot
    this.generation = generation
    this.serial = serial
  }

  equals(other: unknown): boolean {
    return other instanceof Alias && other.toString() === this.toString()
  }

  /** A text that is equal for equal aliases: use it as a map key. */
  toString(): string {
    return `#Alias<${this.node}.${this.thread}.${this.slot}.${this.generation}.${this.serial}>`
  }

  toJSON(): string {
    return this.toString()
  }

  /** @internal */
  [inspected](): string {
    return this.toString()
  }
}
