import { type ActorSystem, type Context, ObserverManager, type ServerRef } from '../../index.js'
import { Auditor } from './auditor-process.js'
import { defineFigures, type Figures } from './figures.js'
import type { Journal } from './journal.js'

/** What the main thread needs to look at the demo while it runs. */
export interface Stage {
  readonly system: ActorSystem
  readonly figures: Context<Figures>
  readonly observers: ObserverManager
  readonly auditor: ServerRef<Auditor>
}

/** Shared threads; the context has one beside them, and so has the isolated watcher. */
export const THREADS = 3

const entry = (file: string, name: string) => ({ module: new URL(`./${file}.js`, import.meta.url), export: name })

/** Who runs where, with what arguments; those that derive come before the sampler, so that they miss nothing. */
const cast = [
  { what: entry('reactions-process', 'smoother'), args: undefined, thread: 1 },
  { what: entry('reactions-process', 'leveller'), args: undefined, thread: 1 },
  { what: entry('reactions-process', 'alarm'), args: undefined, thread: 2 },
  { what: entry('reactions-process', 'switcher'), args: { interval: 2000 }, thread: 2 },
  { what: entry('sampler-process', 'sampler'), args: { interval: 50 }, thread: 0 },
  { what: entry('caretaker-process', 'caretaker'), args: { first: 700, healthy: 4000, hanging: 400 }, thread: 2 },
]

/** Starts the context and all processes; should one of them die, the journal hears of it. */
export async function setStage(system: ActorSystem, journal: Journal): Promise<Stage> {
  const figures = await defineFigures(system)
  await journal.follow(figures)
  const auditor = await system.start(Auditor, undefined, { thread: 1, monitor: true })
  for (const { what, args, thread } of cast) await system.spawn<unknown>(what, args, { thread, monitor: true })
  return { system, figures, observers: ObserverManager.of(system), auditor }
}
