import { inspect } from 'node:util'
import { isDown } from '../../src/actors/messages.js'
import type { ChangeMeta, Process, WatchCallback } from '../../src/index.js'

/** One call of a watch's callback. */
export interface Seen {
  readonly name: string
  readonly previous: unknown
  readonly value: unknown
  readonly meta: ChangeMeta
}

/** A watch callback that keeps what it was told. */
export class Recorder {
  readonly changes: Seen[] = []

  readonly callback: WatchCallback = (name, previous, value, meta) => {
    this.changes.push({ name, previous, value, meta })
  }

  get values(): unknown[] {
    return this.changes.map(({ value }) => value)
  }

  /** Each change as `[previous, value]`. */
  get steps(): [unknown, unknown][] {
    return this.changes.map(({ previous, value }) => [previous, value])
  }

  get names(): string[] {
    return this.changes.map(({ name }) => name)
  }

  get revisions(): number[] {
    return this.changes.map(({ meta }) => meta.revision)
  }
}

/** The next message of a process; throws when it tells of the crash of a process that it monitors. */
export async function hear<M>(self: Process): Promise<M> {
  for (;;) {
    const message = await self.receive()
    if (!isDown(message)) return message as M
    if (message.reason !== 'normal') throw new Error(`a process of the test ended: ${inspect(message.reason)}`)
  }
}

/** The next `count` messages of a process, in the order in which they came, as {@link hear} hears them. */
export async function collect<M>(self: Process, count: number): Promise<M[]> {
  const messages: M[] = []
  while (messages.length < count) messages.push(await hear<M>(self))
  return messages
}

/** A promise and the function that fulfils it. */
export function gate<T = void>(): { readonly opened: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const opened = new Promise<T>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Every whole number from `first` to `last`. */
export const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
