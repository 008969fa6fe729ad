// Loads no more than its processes need.
import { setImmediate } from 'node:timers/promises'
import { Context, type Pid, type Process } from '../../src/index.js'
import { Board } from '../harness/board.js'

export interface CrowdArgs {
  readonly context: string
  readonly name: string
  /** How many watches it has, each with a callback of its own. */
  readonly watchers: number
  /** After so many calls a round is done. */
  readonly calls: number
  readonly memory: SharedArrayBuffer
  readonly parent: Pid
}

/** Watches a variable many times; marks the board each time it was called as often as one round needs. */
export async function crowd(self: Process, args: CrowdArgs): Promise<void> {
  const board = new Board(args.memory)
  const context = Context.attach(self, args.context)
  let called = 0
  const watch = () =>
    context.watchOne(args.name, () => {
      if (++called === args.calls) {
        called = 0
        board.mark()
      }
    })
  // Some at a time: a mailbox holds what is asked meanwhile.
  for (let done = 0; done < args.watchers; done += 1000)
    await Promise.all(Array.from({ length: Math.min(1000, args.watchers - done) }, watch))
  self.send(args.parent, 'watching')
  await self.receive()
}

/** Writes a variable for ever, one value after another, whoever dies meanwhile. */
export async function writer(self: Process, { context: id, name }: { context: string; name: string }): Promise<void> {
  const context = Context.attach(self, id)
  for (let value = 1; ; value++) {
    await context.set(name, value).catch(() => {})
    await setImmediate()
  }
}
