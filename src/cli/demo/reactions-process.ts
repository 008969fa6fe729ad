import { setInterval } from 'node:timers/promises'
import type { Process } from '../../index.js'
import { attachFigures, strategies } from './figures.js'
import { Hysteresis } from './hysteresis.js'
import { type LoadLevel, loadLevel } from './load-level.js'
import { loadSmoother, type Smoother } from './smoothing.js'

/** Derives `cpu_smooth` from `cpu`, by the strategy that `smoothing` names; changes when that does. */
export async function smoother(self: Process): Promise<void> {
  const figures = attachFigures(self)
  let smooth: Smoother = (value) => value
  // One watch of both: a switch comes in order between two values, and the next value waits until it is loaded.
  await figures.watch(
    ['smoothing', 'cpu'],
    async (name, _previous, value) => {
      if (name === 'smoothing') smooth = await loadSmoother(figures)
      else figures.put('cpu_smooth', smooth(value as number), { source: 'smoother' })
    },
    { includeInitial: true },
  )
  await self.receive()
}

/** Derives the choice `load_level` from `cpu_smooth`. */
export async function leveller(self: Process): Promise<void> {
  const figures = attachFigures(self)
  let present: LoadLevel = await figures.get('load_level')
  await figures.watchOne('cpu_smooth', async (_name, _previous, cpu) => {
    const level = loadLevel(cpu, present)
    if (level === present) return
    present = level
    await figures.set('load_level', level, { source: 'leveller' })
  })
  await self.receive()
}

/** Raises `alert` when a core is nearly all busy, and clears it when none is by far. */
export async function alarm(self: Process): Promise<void> {
  const figures = attachFigures(self)
  const state = new Hysteresis({ on: 90, off: 60 })
  await figures.watchOne('cores', () => figures.put('alert', state.raised, { source: 'alarm' }), {
    filter: (_previous, cores) => state.turns(Math.max(...cores)),
  })
  await self.receive()
}

/** Sets `smoothing` to the next strategy every `interval` milliseconds. */
export async function switcher(self: Process, { interval }: { readonly interval: number }): Promise<void> {
  const figures = attachFigures(self)
  let count = 0
  for await (const _ of setInterval(interval, undefined, { signal: self.signal })) {
    const next = strategies[++count % strategies.length] ?? strategies[0]
    await figures.set('smoothing', next, { source: 'switcher' })
  }
}
