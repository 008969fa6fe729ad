import { Context } from '../../src/variables/context.js'
import { ObserverManager } from '../../src/variables/observer-manager.js'
import { dyingWatcher, scribe } from '../fixtures/dying-context.js'
import { assert, eventually, suite } from '../harness.js'
import { Recorder, range } from '../support/recorder.js'
import { type Place, places, Stage } from '../support/stage.js'
import { withSystem } from '../support/system.js'

const test = suite('deaths around variables', { timeout: 60_000 })

/** A test with a system of its own, in whose threads relays may stay. */
const scene = (title: string, play: (stage: Stage) => Promise<void>) =>
  test(title, () => withSystem({ threads: 1 }, (system) => play(new Stage(system, system.self))))

/** A watcher dies in its callback: its observers go, and another watcher misses nothing. */
const watcherDies = (how: string, place: Place) =>
  scene(`a watcher dies in its callback: ${how} (${place})`, async (stage) => {
    await using context = await Context.start(stage.self)
    const variable = await context.define('v', 'integer', 0)
    const seen = new Recorder()
    await variable.watch(seen.callback)
    const args = { context: context.pid, to: stage.self.pid, how }
    const pid = await stage.spawn(place, dyingWatcher, args, { monitor: true }, 'dying-context')
    assert.is(await stage.hear(), 'watching')
    const observers = ObserverManager.of(stage.self)
    assert.is(await observers.count(variable.id), 2)
    await variable.set(1)
    await stage.reasonOf(pid)
    await eventually(async () => assert.is(await observers.count(variable.id), 1))
    await variable.set(2)
    await eventually(() => assert.equal(seen.values, [1, 2]))
    assert.equal(await stage.rest(), [], 'a second DOWN')
  })

for (const place of places) watcherDies('kill itself', place)
for (const how of ['process.exit', 'throw in a timer', 'let a promise float'])
  for (const place of places.slice(1)) watcherDies(how, place)

scene(
  'a context is killed in the middle of commits: what it acknowledged was seen, what it did not is rejected',
  async (stage) => {
    const { self } = stage
    const scribesOf = ({ pid: context }: Context) =>
      places.map((place) => stage.spawn(place, scribe, { context, to: self.pid }, { monitor: true }, 'dying-context'))
    for (const _ of range(1, 5)) {
      const context = await Context.start(self)
      const variable = await context.define('x', 'integer', 0)
      const seen = new Recorder()
      const ended = new Promise<unknown>((onError) => void variable.watch(seen.callback, { onError }))
      const scribes = await Promise.all(scribesOf(context))
      for (const _ of scribes) await self.receive((message) => message === 'writing')
      self.exit(context.pid, 'kill')
      let acknowledged = 0
      for (const _ of scribes) {
        const isReport = (message: unknown): message is { acknowledged: number; codes: string[] } =>
          (message as { codes?: unknown }).codes !== undefined
        const report = await self.receive(isReport)
        assert.equal(report.codes, ['NOPROC'])
        acknowledged += report.acknowledged
      }
      assert.is(((await ended) as { code: string }).code, 'UNAVAILABLE')
      assert.ok(seen.changes.length >= acknowledged, `${acknowledged} acknowledged, ${seen.changes.length} seen`)
      assert.equal(seen.revisions, range(2, seen.changes.length + 1))
      assert.is(await ObserverManager.of(self).count(variable.id), 0)
    }
  },
)

test.run()
