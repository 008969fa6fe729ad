import { type Arm, type ArmOptions, expect, latency, type Topic } from './arm.js'

let serial = 0

/** An arm that asks somebody who answers with the value he is asked, another one each time. */
export function asking(topic: Topic, ask: (value: number) => Promise<unknown>, options: ArmOptions = {}): Arm {
  return latency(
    topic,
    async (watch) => {
      const value = ++serial
      watch.start()
      const answer = await ask(value)
      watch.stop()
      expect('answer', answer, value)
    },
    options,
  )
}
