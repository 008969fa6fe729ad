// Loads no more than its processes need: the start of a thread is measured too.
import { Call } from '../src/actors/messages.js'
import type { Pid, Process } from '../src/index.js'

/** Sends every message back to its sender, and answers calls. */
export async function echo(self: Process): Promise<void> {
  for await (const message of self.messages()) {
    if (message instanceof Call) self.reply(message.from, message.request)
    else self.send((message as { from: Pid }).from, message)
  }
}

/** Counts messages, and answers calls with the count since the last one. */
export async function counter(self: Process): Promise<void> {
  let count = 0
  for await (const message of self.messages()) {
    if (message instanceof Call) {
      self.reply(message.from, count)
      count = 0
    } else count++
  }
}

/** Says hello, and that was it. */
export function greeter(self: Process, parent: Pid): void {
  self.send(parent, 'hello')
}

/** Says that it lives, and crashes at the first message. */
export async function phoenix(self: Process, parent: Pid): Promise<void> {
  self.send(parent, self.pid)
  await self.receive()
  throw new Error('crash')
}

/** Never lets go of its thread. */
export function spinner(self: Process, parent: Pid): void {
  self.send(parent, 'hello')
  for (;;);
}

/** Watches a variable and tells its parent each value it is called with. */
export async function watcher(
  self: Process,
  { context, name, parent }: { context: string; name: string; parent: Pid },
): Promise<void> {
  const { Context } = await import('../src/index.js')
  const watch = await Context.attach(self, context).watchOne(name, (_name, _previous, value) =>
    self.send(parent, value),
  )
  self.send(parent, 'hello')
  await self.receive((message) => message === 'stop')
  await watch.stop()
}

/** Watches `x`, and never comes back from its callback. */
export async function stuckWatcher(
  self: Process,
  { context, parent }: { context: string; parent: Pid },
): Promise<void> {
  const { Context } = await import('../src/index.js')
  await Context.attach(self, context).watchOne('x', () => {
    self.send(parent, 'stuck')
    for (;;);
  })
  self.send(parent, 'hello')
  await self.receive()
}
