import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { type Endpoint, expose, type Remote, transferHandlers, wrap } from 'comlink'
import { assert, eventually, suite } from '../harness.js'

// What src/variables/door relies on, and what it guards against.
const test = suite('contract: comlink')

interface Side {
  say(word: unknown): unknown
  fail(): void
}

const endpoint = (port: MessagePort) => port as unknown as Endpoint

/** Two ends of a channel, each of which exposes a side and wraps that of the other. */
function pair(mine: Partial<Side>, theirs: Partial<Side>) {
  const { port1, port2 } = new MessageChannel()
  const far = wrap<Side>(endpoint(port1)) as Remote<Side>
  expose(mine, endpoint(port1))
  const near = wrap<Side>(endpoint(port2)) as Remote<Side>
  expose(theirs, endpoint(port2))
  const close = async () => {
    port1.close()
    await once(port2, 'close')
  }
  // Each end is held by its port, as in the door.
  port1.on('close', () => void far)
  port2.on('close', () => void near)
  return { port1, port2, far, near, close }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
const collect = async () => {
  for (let round = 0; round < 10; round++) {
    ;(globalThis.gc as () => void)()
    await turn()
  }
}

test('both ends of one port may expose and wrap', async () => {
  const { far, near, close } = pair({ say: (word) => `one ${word}` }, { say: (word) => `two ${word}` })
  assert.equal(await Promise.all([far.say('a'), near.say('b'), far.say('c')]), ['two a', 'one b', 'two c'])
  await close()
})

test('what an end says before its answer, or before it closes, arrives before that', async () => {
  const heard: unknown[] = []
  const ends = pair(
    { say: (word) => void heard.push(word) },
    {
      say: async (word) => {
        await Promise.resolve()
        void ends.near.say('told')
        return word
      },
    },
  )
  heard.push(await ends.far.say('answered'))
  assert.equal(heard, ['told', 'answered'])
  void ends.near.say('last')
  ends.port2.close()
  await once(ends.port1, 'close')
  assert.equal(heard, ['told', 'answered', 'last'])
})

test('a call is answered after its proxy is garbage while the root is held', async () => {
  let answer: (word: string) => void = () => {}
  const { far, close } = pair({}, { say: () => new Promise((resolve) => (answer = resolve)) })
  const said = far.say('x')
  await collect()
  answer('late')
  assert.is(await said, 'late')
  await close()
})

test('a proxy that nobody holds takes leave, and both ports close: so the root must be held', async () => {
  const { port1, port2 } = new MessageChannel()
  expose({}, endpoint(port2))
  const closed = once(port2, 'close').then(() => true)
  const wrapAndDrop = () => void wrap(endpoint(port1))
  wrapAndDrop()
  let isClosed = false
  closed.then(() => {
    isClosed = true
  })
  await eventually(async () => {
    await collect()
    return isClosed
  })
})

test('a call whose other end closes does not settle: so the door must reject it', async () => {
  const { far, port1, port2 } = pair({}, { say: () => new Promise(() => {}) })
  let settled = false
  void Promise.resolve(far.say('x'))
    .catch(() => {})
    .then(() => {
      settled = true
    })
  await turn()
  port2.close()
  await once(port1, 'close')
  await collect()
  assert.not(settled)
})

test('an error loses its code and cause: so the door answers with errors of its own making', async () => {
  const { far, close } = pair(
    {},
    {
      fail: () => {
        throw Object.assign(new Error('words', { cause: 'deeper' }), { code: 'MINE', details: {} })
      },
    },
  )
  const error = (await far.fail().then(
    () => undefined,
    (thrown: unknown) => thrown,
  )) as Error & { code?: unknown }
  assert.equal([error.message, error.code, error.cause], ['words', undefined, undefined])
  await close()
})

test('plain data passes transfer handlers by which do not ask for it', async () => {
  class Mine {}
  const mine = {
    canHandle: (value: unknown): value is Mine => value instanceof Mine,
    serialize: () => [0, []],
    deserialize: () => 0,
  }
  transferHandlers.set('mine', mine as never)
  const { far, close } = pair({}, { say: (word) => word })
  const payload = { data: { code: 'X', parts: [1, 2] }, tagged: true }
  assert.equal(await far.say(payload), payload)
  transferHandlers.delete('mine')
  await close()
})

test('messages that are no calls are ignored by both', async () => {
  const { far, port2, close } = pair({}, { say: (word) => word })
  for (const noise of [null, 'x', { type: 'x' }, { id: 'y' }]) port2.postMessage(noise)
  assert.is(await far.say('still'), 'still')
  await close()
})

test.run()
