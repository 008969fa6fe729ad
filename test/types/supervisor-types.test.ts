import {
  ActorSystem,
  type ChildSpec,
  DynamicSupervisor,
  type Pid,
  type Process,
  Registry,
  Server,
  Supervisor,
} from '../../src/index.js'
import { assert, suite } from '../harness.js'

class Counter extends Server<{ start: number }> {
  override init(_args: { start: number }): void {}
}

const run = async (self: Process, _args: { word: string }): Promise<void> => {
  await self.receive()
}

const test = suite('types of supervisors')

test('child specifications take servers, entries, closures and supervisors, and what is made by child()', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const children: ChildSpec[] = [
    { id: 'server', start: { server: Counter, args: { start: 1 }, options: { name: 'counter' } } },
    { id: 'closure', start: { entry: run, args: { word: 'x' } }, restart: 'transient', shutdown: 10 },
    { id: 'registry', start: Registry.child({ keys: 'unique', name: 'rooms' }), shutdown: 'infinity' },
    { id: 'tree', start: { supervisor: [], options: { strategy: 'rest_for_one' } }, type: 'supervisor' },
    { id: 'dynamic', start: { dynamicSupervisor: { maxChildren: 1, name: 'dynamic' } } },
  ]
  const sup = await Supervisor.start(system, children, { backoff: { initial: 1 } })
  const pids: (Pid | undefined | 'restarting')[] = (await sup.whichChildren()).map(({ pid }) => pid)
  assert.is(pids.length, 5)
  const { active }: { active: number } = await sup.countChildren()
  assert.is(active, 5)
  const dyn = DynamicSupervisor.attach(system, 'dynamic')
  const pid: Pid | undefined = await dyn.startChild({ start: { entry: run } })
  assert.ok(pid)
  const wrong = () => {
    // @ts-expect-error an id is needed
    void sup.startChild({ start: { entry: run } })
    // @ts-expect-error a link is its supervisor's affair
    void sup.startChild({ id: 'a', start: { entry: run, options: { link: false } } })
    // @ts-expect-error a dynamic child is meant by its pid
    void dyn.terminateChild('a')
    // @ts-expect-error there is no such strategy
    void Supervisor.start(system, [], { strategy: 'one' })
  }
  assert.type(wrong, 'function')
  await sup.stop()
})

test.run()
