import { Call, Context, type Process } from '../src/index.js'

/** Sends every message back to its sender, and answers calls. */
export async function echo(self: Process): Promise<void> {
  for await (const message of self.messages()) {
    if (message instanceof Call) self.reply(message.from, message.request)
    else self.send((message as { from: Parameters<Process['send']>[0] }).from, message)
  }
}

/** Never lets go of its thread. */
export function spin(self: Process, parent: Parameters<Process['send']>[0]): void {
  self.send(parent, 'spinning')
  for (;;);
}

/** Watches a variable and tells its parent each value it is called with. */
export async function watcher(
  self: Process,
  { context, name, parent }: { context: string; name: string; parent: Parameters<Process['send']>[0] },
): Promise<void> {
  const watch = await Context.attach(self, context).watchOne(name, (_name, _previous, value) =>
    self.send(parent, value),
  )
  self.send(parent, 'watching')
  await self.receive((message) => message === 'stop')
  await watch.stop()
}
