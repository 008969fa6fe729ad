import { setInterval } from 'node:timers/promises'
import { ActorSystem } from '../../index.js'
import type { Ending } from './ending.js'
import { journalName } from './events.js'
import { Journal } from './journal.js'
import { setStage, THREADS } from './stage.js'
import { type Summary, summarise } from './summary.js'
import { Surveyor } from './survey.js'
import type { View } from './view.js'

/** Runs the demo to its end; resolves with what was seen when all processes and threads have ended. */
export async function runDemo(view: View, ending: Ending): Promise<Summary> {
  const system = await ActorSystem.start({ name: 'demo', threads: THREADS })
  const journal = new Journal((event) => view.event(event))
  await system.self.register(journalName)
  const listening = journal.listen(system.self)
  try {
    const stage = await setStage(system, journal)
    const surveyor = new Surveyor(stage, journal)
    ending.start()
    for await (const _ of ticks(view.interval, ending.signal)) view.survey(await surveyor.take())
    return summarise(await surveyor.take(), journal)
  } finally {
    // The isolated watcher may be in its endless loop just now: it is asked to end, then killed.
    await system.stop({ timeout: 200 })
    await listening
  }
}

/** Ticks until the signal aborts. */
async function* ticks(interval: number, over: AbortSignal): AsyncGenerator<void> {
  try {
    yield* setInterval(interval, undefined, { signal: over })
  } catch (error) {
    if (!over.aborted) throw error
  }
}
