import { Watchdog, type WatchdogOptions } from '../../src/actors/watchdog.js'
import { Pid } from '../../src/threads/pid.js'
import { Roster } from '../../src/threads/roster.js'
import { assert, suite } from '../harness.js'

const test = suite('Watchdog', { timeout: 20_000 })

const never = Number.POSITIVE_INFINITY

/** A watchdog over two places, threads 11 and 12, and a way to wait for what it finds. */
function watching(options: WatchdogOptions) {
  const roster = Roster.create(2, 0)
  roster.seat(0, 11)
  roster.seat(1, 12)
  for (const place of [0, 1]) roster.beat(place)
  const dead = new Set<string>()
  const found: [thread: number, suspects: string[], slot: number | undefined][] = []
  let heard = () => {}
  const watchdog = new Watchdog(
    roster,
    options,
    (pid) => !dead.has(String(pid)),
    (thread, suspects, slot) => {
      found.push([thread, suspects.map(String), slot])
      heard()
    },
  )
  const beating = (...places: number[]) => {
    const beat = () => {
      for (const place of places) roster.beat(place)
    }
    const timer = setInterval(beat, watchdog.beat)
    return () => clearInterval(timer)
  }
  const next = () =>
    new Promise<void>((resolve) => {
      heard = resolve
    })
  return { roster, watchdog, dead, found, beating, next }
}

const pid = (slot: number) => new Pid('node', 11, slot, 1)

test('a thread that does not beat is found, with what it ran last; one that beats is left alone', async () => {
  const { roster, watchdog, found, beating, next } = watching({ stuckAfter: 100, killGrace: 100 })
  const stop = beating(1)
  roster.run(0, 77)
  watchdog.start()
  await next()
  watchdog.stop()
  stop()
  assert.equal(found, [[11, [], 77]])
})

test('a thread with a process that was told to die is found though nobody looks for stuck threads', async () => {
  const { watchdog, found, next } = watching({ stuckAfter: never, killGrace: 100 })
  watchdog.start()
  for (const slot of [3, 4]) watchdog.suspect(0, pid(slot))
  await next()
  watchdog.stop()
  assert.equal(found, [[11, [String(pid(3)), String(pid(4))], undefined]])
})

test('K1 a suspect stays one when its thread beats once more before it gets stuck', async () => {
  const { roster, watchdog, found, next } = watching({ stuckAfter: never, killGrace: 100 })
  watchdog.start()
  watchdog.suspect(0, pid(3))
  roster.beat(0)
  await next()
  watchdog.stop()
  assert.equal(found, [[11, [String(pid(3))], undefined]])
})

test('a suspect that is dead is none any more', async () => {
  const { watchdog, dead, found, next } = watching({ stuckAfter: never, killGrace: 100 })
  watchdog.start()
  watchdog.suspect(0, pid(3))
  dead.add(String(pid(3)))
  watchdog.suspect(1, pid(5))
  await next()
  watchdog.stop()
  assert.equal(found, [[12, [String(pid(5))], undefined]])
})

test('a fresh thread in a place starts with a clean record', async () => {
  const { roster, watchdog, found, dead, next } = watching({ stuckAfter: never, killGrace: 100 })
  watchdog.start()
  watchdog.suspect(0, pid(3))
  dead.add(String(pid(3)))
  roster.seat(0, 13)
  watchdog.suspect(1, pid(5))
  await next()
  watchdog.stop()
  assert.equal(
    found.map(([thread]) => thread),
    [12],
  )
})

test('a thread that has not begun is not stuck, however long it takes', async () => {
  const { roster, watchdog, found, next } = watching({ stuckAfter: 100, killGrace: 100 })
  roster.seat(0, 13)
  watchdog.start()
  await next()
  await next()
  watchdog.stop()
  assert.equal(
    found.map(([thread]) => thread),
    [12, 12],
  )
})

test('a process of an isolated thread that does not die is found; one that does is not', async () => {
  const { watchdog, dead, found, next } = watching({ stuckAfter: never, killGrace: 100 })
  watchdog.start()
  const [dies, hangs] = [new Pid('node', 21, 3, 1), new Pid('node', 22, 4, 1)]
  for (const one of [dies, hangs]) watchdog.suspect(undefined, one)
  dead.add(String(dies))
  await next()
  watchdog.stop()
  assert.equal(found, [[22, [String(hangs)], undefined]])
})

test.run()
