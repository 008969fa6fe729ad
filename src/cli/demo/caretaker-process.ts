import { setTimeout } from 'node:timers/promises'
import { ObserverManager, type Pid, type Process } from '../../index.js'
import { report } from './events.js'
import { attachFigures } from './figures.js'

/** The thread of an isolated process is its own, so that it can be ended in the middle of an endless loop. */
const watcher = { module: new URL('./hanging-process.js', import.meta.url), export: 'hangingWatcher' }

/** Milliseconds of a watcher's life: how long the first one is healthy, and all others; then how long each hangs. */
interface Lifetimes {
  readonly first: number
  readonly healthy: number
  readonly hanging: number
}

/** Keeps one isolated watcher alive: makes it hang after a while, kills it, sees that its observer goes, starts another. */
export async function caretaker(self: Process, { first, healthy, hanging }: Lifetimes): Promise<void> {
  const figures = attachFigures(self)
  const observers = ObserverManager.of(self)
  const { id } = await figures.describe('cpu')
  const isWatching = async (pid: Pid) => (await figures.listWatchers()).some(({ owner }) => owner.equals(pid))
  const happened = async (kind: 'watching' | 'hanging', pid: Pid) => {
    await self.receive((message) => message === kind)
    report(self, { kind, pid: String(pid), observers: await observers.count(id) })
  }

  for (let life = first; ; life = healthy) {
    const down = self.ref()
    const pid = await self.spawn(watcher, { keeper: self.pid }, { thread: 'isolated', monitor: down })
    await happened('watching', pid)
    await setTimeout(life, undefined, { signal: self.signal })
    self.send(pid, 'hang')
    await happened('hanging', pid)
    await setTimeout(hanging, undefined, { signal: self.signal })

    const start = performance.now()
    self.exit(pid, 'kill')
    await self.receive((message) => message instanceof Object && 'ref' in message && down.equals(message.ref))
    const downMs = performance.now() - start
    while (await isWatching(pid));
    report(self, { kind: 'killed', pid: String(pid), downMs, observers: await observers.count(id) })
  }
}
