// Loads no more than its processes need: the start of a thread is measured too.
import type { Pid, Process } from '../../src/index.js'

/** Says that it lives, and crashes at the first message. */
export async function phoenix(self: Process, parent: Pid): Promise<void> {
  self.send(parent, self.pid)
  await self.receive()
  throw new Error('crash')
}

/** Says hello, and that was it. */
export function greeter(self: Process, parent: Pid): void {
  self.send(parent, 'hello')
}

/** Never lets go of its thread. */
export function spinner(self: Process, parent: Pid): void {
  self.send(parent, 'hello')
  for (;;);
}

/** Watches `x`, and never comes back from its callback. */
export async function stuckWatcher(
  self: Process,
  { context, parent }: { context: string; parent: Pid },
): Promise<void> {
  const { Context } = await import('../../src/index.js')
  await Context.attach(self, context).watchOne('x', () => {
    self.send(parent, 'stuck')
    for (;;);
  })
  self.send(parent, 'hello')
  await self.receive()
}

/** Ends the thread it is on, and whoever else is there. */
export function bomb(): void {
  process.exit(1)
}
