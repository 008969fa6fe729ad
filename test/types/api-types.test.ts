import { ActorSystem, Context, type Pid, Server } from '../../src/index.js'
import { assert, suite } from '../harness.js'

class Counter extends Server<{ start: number }> {
  #count = 0
  override init({ start }: { start: number }): void {
    this.#count = start
  }
  increment(by = 1): number {
    this.#count += by
    return this.#count
  }
}

const test = suite('types of the public API')

test('a server reference has the methods of its class, and only those', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const counter = await system.start(Counter, { start: 1 })
  const count: number = await counter.increment(2)
  assert.is(count, 3)
  const wrong = () => {
    // @ts-expect-error a method's arguments are typed
    void counter.increment('x')
    // @ts-expect-error what is no method of the protocol is not there
    void counter.init
    // @ts-expect-error the arguments of init are those of the class
    void system.start(Counter, { start: 'x' })
    // @ts-expect-error a cast has no answer
    counter.cast.increment(1).then()
  }
  assert.type(wrong, 'function')
})

test('what is not a server’s protocol is not in its reference, and stop is', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const counter = await system.start(Counter, { start: 1 }, { timeout: 60_000 })
  const stats: { deadLetters: number; droppedReplies: number; processes: number } = system.stats()
  assert.is(stats.deadLetters, 0)
  const off: () => void = system.on('deadLetter', ({ to, message }) => [to satisfies Pid, message satisfies unknown])
  off()
  const wrong = () => {
    // @ts-expect-error hooks of the server are no protocol
    void counter.handleContinue
    // @ts-expect-error nor those of the system
    void counter.systemGetState
    // @ts-expect-error there is no such event
    system.on('letter', () => {})
    // @ts-expect-error an alias is for messages alone
    system.self.monitor(system.self.alias())
    // @ts-expect-error milliseconds are a number
    void counter.stop('normal', { timeout: '5' })
  }
  assert.type(wrong, 'function')
  const stopped: Promise<void> = counter.stop('shutdown')
  await stopped
  assert.is(system.isAlive(counter.pid), false)
})

test('a variable has the type of its definition', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const context = await Context.start(system)
  const float = await context.define('float', 'float', 1, { constraints: { min: 0 } })
  const choice = await context.define('choice', 'choice', 'a', { constraints: { choices: ['a', 'b'] } })
  const value: number = await float.get()
  const letter: 'a' | 'b' = choice.peek()
  assert.equal([value, letter], [1, 'a'])
  const wrong = () => {
    // @ts-expect-error a float is no string
    void float.set('x')
    // @ts-expect-error c is none of the choices
    void choice.set('c')
    // @ts-expect-error there is no such constraint
    void context.define('x', 'float', 1, { constraints: { minimum: 0 } })
  }
  assert.type(wrong, 'function')
})

test('a context whose variables are named has typed methods', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const context = await Context.start<{ temperature: number; mode: string }>(system)
  await context.define('temperature', 'float', 20)
  const value: number = await context.get('temperature')
  const watch = await context.watchOne('temperature', (name: 'temperature', _previous, now: number) => [name, now])
  await watch.stop()
  assert.is(value, 20)
  const wrong = () => {
    // @ts-expect-error temperature is a number
    void context.set('temperature', 'warm')
    // @ts-expect-error there is no such variable
    void context.get('pressure')
  }
  assert.type(wrong, 'function')
})

test('a process function is typed by its arguments', async () => {
  await using system = await ActorSystem.start({ threads: 1 })
  const pid: Pid = await system.spawn((_self, args: { a: number }) => void args.a, { a: 1 })
  assert.ok(pid)
  const wrong = () => {
    // @ts-expect-error a is a number
    void system.spawn((_self, args: { a: number }) => void args.a, { a: 'x' })
  }
  assert.type(wrong, 'function')
})

test.run()
