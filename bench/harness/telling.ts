import { type Arm, type ArmOptions, expect, type Topic, throughput } from './arm.js'

/** Who is told and counts, and is asked how often it was told since then. Some answer by a promise although nobody asked. */
export interface Counter {
  tell(value: number): unknown
  count(): Promise<number>
}

/** So many may be in flight: there is a library whose time for each grows with them. */
const ANSWERS = 1000

/** Tells a counter so many values, none of them awaited, and asks it; the figure is of one of them. */
export function telling(topic: Topic, pieces: number, counter: Counter, options: ArmOptions = {}): Arm {
  return throughput(
    topic,
    pieces,
    async (watch) => {
      const answers: unknown[] = []
      watch.start()
      for (let value = 1; value <= pieces; value++) {
        const answer = counter.tell(value)
        if (answer !== undefined && answers.push(answer) === ANSWERS) await Promise.all(answers.splice(0))
      }
      await Promise.all(answers)
      // Until all of them are: not everybody answers in the order of what was sent.
      let count = 0
      while (count < pieces) count += await counter.count()
      watch.stop()
      expect('count', count, pieces)
    },
    options,
  )
}
