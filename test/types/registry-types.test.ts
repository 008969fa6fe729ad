import {
  ActorSystem,
  Agent,
  type Key,
  type Pid,
  ProcessGroups,
  Registry,
  type RegistryEvent,
  type Via,
} from '../../src/index.js'
import { assert, suite } from '../harness.js'

const test = suite('types of registries, groups and agents')

test('values of a registry have its type, and keys are plain', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const registry = await Registry.start<{ seats: number }>(system, { keys: 'unique' })
  const key: Key = ['room', { number: 7 }, system.self.pid, system.self.ref()]
  await registry.register(key, { seats: 4 })
  const [entry] = await registry.lookup(key)
  const seats: number | undefined = entry?.value.seats
  const { value, previous } = await registry.updateValue(key, (old) => ({ seats: old.seats + 1 }))
  const via: Via = registry.via(key)
  const found: Pid | undefined = system.whereis(via)
  assert.equal([seats, value.seats, previous.seats, found], [4, 5, 4, system.self.pid])
  const event = (heard: RegistryEvent<{ seats: number }>): number => heard.value.seats
  const wrong = () => {
    // @ts-expect-error a registry has keys of one of two kinds
    void Registry.start(system, { keys: 'both' })
    // @ts-expect-error a date is no key
    void registry.register(new Date(), { seats: 1 })
    // @ts-expect-error a value has the type of the registry
    void registry.register('k', { seats: 'x' })
    // @ts-expect-error so has that of an entry made by a spawn
    registry.via('k', { seats: 'x' })
    // @ts-expect-error and what an update returns
    void registry.updateValue('k', () => 5)
  }
  assert.type(wrong, 'function')
  assert.type(event, 'function')
})

test('members are pids', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const groups = await ProcessGroups.start(system)
  await groups.join('g')
  const members: Pid[] = await groups.members('g')
  const left: boolean = await groups.leave('g', members)
  assert.is(left, true)
  const wrong = () => {
    // @ts-expect-error a name is no member
    void groups.join('g', 'name')
  }
  assert.type(wrong, 'function')
})

test('functions for an agent have the type of its state', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const agent = await Agent.start(system, async () => ({ count: 1 }))
  await agent.update(({ count }, by: number) => ({ count: count + by }), 2)
  const count: number = await agent.get((state) => state.count)
  const text: string = await agent.getAndUpdate((state) => [String(state.count), state])
  assert.equal([count, text], [3, '3'])
  const wrong = () => {
    // @ts-expect-error the state has no such part
    void agent.get((state) => state.total)
    // @ts-expect-error an update gives a whole state
    void agent.update(() => 5)
    // @ts-expect-error the argument is a number
    void agent.update((state, by: number) => ({ count: state.count + by }), 'x')
    // @ts-expect-error an argument is missing
    void agent.get((state, by: number) => state.count + by)
    // @ts-expect-error a pair is wanted
    void agent.getAndUpdate((state) => state)
    // @ts-expect-error a cast is not answered
    agent.cast((state) => state).then()
  }
  assert.type(wrong, 'function')
})

test.run()
