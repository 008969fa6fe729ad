import type { Process } from '../../src/actors/process.js'
import type { ActorSystem } from '../../src/actors/system.js'
import type { Pid } from '../../src/threads/pid.js'
import { assert } from '../harness.js'

const module = new URL('../fixtures/dying.js', import.meta.url)

/** What the fixtures of dying.ts say, and the DOWN of one. */
export interface Word {
  readonly type?: string
  readonly from?: Pid
  readonly pid?: Pid
  readonly word?: unknown
  readonly reason?: unknown
}

/** Residents of scheduler thread 0, each of which has answered once. */
export async function residents(system: ActorSystem, self: Process, count: number): Promise<Pid[]> {
  const options = { thread: 0, monitor: true }
  const pids = await Promise.all(
    Array.from({ length: count }, () => system.spawn({ module, export: 'resident' }, self.pid, options)),
  )
  for (const pid of pids) self.send(pid, 'hello')
  for (let i = 0; i < count; i++) await self.receive((message) => (message as Word).word === 'hello')
  return pids
}

/** Hears one DOWN of each of so many, which comes after all that it has said; answers their reasons, by pid. */
export async function downs(system: ActorSystem, self: Process, count: number): Promise<Map<string, unknown>> {
  const reasons = new Map<string, unknown>()
  while (reasons.size < count) {
    const message = await self.receive<Word>()
    const key = String(message.type === 'DOWN' ? message.pid : message.from)
    assert.not.ok(reasons.has(key), `${key} is heard of after its DOWN`)
    if (message.type !== 'DOWN') continue
    reasons.set(key, message.reason)
    assert.not.ok(system.isAlive(message.pid as Pid))
  }
  return reasons
}
