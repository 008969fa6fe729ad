import type { Pid, Process } from '../../index.js'
import { attachFigures } from './figures.js'

/**
 * A watcher that works until it is told `hang`: then its callback never returns, and nothing but `kill` ends it. It tells
 * `keeper` when it watches, and when it is about to hang.
 */
export async function hangingWatcher(self: Process, { keeper }: { readonly keeper: Pid }): Promise<void> {
  const figures = attachFigures(self)
  let told = false
  await figures.watchOne('cpu', () => {
    if (!told) return
    self.send(keeper, 'hanging')
    for (;;);
  })
  self.send(keeper, 'watching')
  await self.receive((message) => message === 'hang')
  told = true
  await self.receive()
}
