import { setInterval } from 'node:timers/promises'
import type { Process } from '../../index.js'
import { attachFigures } from './figures.js'
import { Machine } from './machine.js'

/** Writes what the machine does into the context every `interval` milliseconds: each sample is one revision. */
export async function sampler(self: Process, { interval }: { readonly interval: number }): Promise<void> {
  const figures = attachFigures(self)
  using machine = new Machine()
  for await (const _ of setInterval(interval, undefined, { signal: self.signal })) {
    await figures.updateMany(machine.read(), { source: 'sampler' })
  }
}
