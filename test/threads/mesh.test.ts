import type { Link } from '../../src/threads/link.js'
import { Mesh } from '../../src/threads/mesh.js'
import type { Signal } from '../../src/threads/signal.js'
import { assert, suite } from '../harness.js'

const test = suite('Mesh')

const signal = (thread: number): Signal => ({ kind: 'dial', thread })

/** A link that writes down what goes through it. */
class Recorder implements Link {
  readonly peer: number
  readonly sent: unknown[] = []
  constructor(peer: number) {
    this.peer = peer
  }
  send(...sent: Parameters<Link['send']>): void {
    this.sent.push(sent)
  }
  close(): void {
    this.sent.push('closed')
  }
}

function meshOf(): { mesh: Mesh; dialled: number[] } {
  const dialled: number[] = []
  return { mesh: new Mesh((thread) => dialled.push(thread)), dialled }
}

test('a signal goes through the link to its thread, with what it transfers', () => {
  const { mesh, dialled } = meshOf()
  const [one, two] = [new Recorder(1), new Recorder(2)]
  mesh.connect(one)
  mesh.connect(two)
  const transfer = [new ArrayBuffer(1)]
  assert.is(mesh.send(1, signal(7), transfer), true)
  assert.is(mesh.send(2, signal(8)), true)
  assert.equal(one.sent, [[signal(7), transfer]])
  assert.equal(two.sent, [[signal(8), undefined]])
  assert.equal(dialled, [])
})

test('a thread without a link is dialled once, and what is sent meanwhile waits in order', () => {
  const { mesh, dialled } = meshOf()
  for (let i = 0; i < 5; i++) assert.is(mesh.send(3, signal(i)), true)
  assert.equal(dialled, [3])
  assert.is(mesh.connected(3), false)
  const link = new Recorder(3)
  mesh.connect(link)
  assert.is(mesh.connected(3), true)
  mesh.send(3, signal(5))
  assert.equal(
    link.sent,
    [0, 1, 2, 3, 4, 5].map((i) => [signal(i), undefined]),
  )
  assert.equal(dialled, [3])
})

test('what waits for a link is a copy of what was sent, and what it transfers has left its sender', () => {
  const { mesh } = meshOf()
  const data = { n: 1, buffer: new ArrayBuffer(4) }
  const message = (part: unknown): Signal => ({
    kind: 'message',
    to: [3, 0, 0],
    body: { data: part, tagged: false },
    cast: false,
  })
  mesh.send(3, message(data), [data.buffer])
  data.n = 2
  assert.is(data.buffer.byteLength, 0)
  assert.throwsCode(
    () =>
      mesh.send(
        3,
        message(() => {}),
      ),
    'NOT_CLONEABLE',
  )
  const link = new Recorder(3)
  mesh.connect(link)
  assert.is(link.sent.length, 1)
  const [sent, transfer] = link.sent[0] as [{ body: { data: typeof data } }, ArrayBuffer[]]
  assert.is(sent.body.data.n, 1)
  assert.is(sent.body.data.buffer.byteLength, 4)
  assert.is(transfer[0], sent.body.data.buffer)
})

test('a dial that answers at once loses nothing', () => {
  const link = new Recorder(3)
  const mesh: Mesh = new Mesh(() => mesh.connect(link))
  mesh.send(3, signal(1))
  mesh.send(3, signal(2))
  assert.equal(link.sent, [
    [signal(1), undefined],
    [signal(2), undefined],
  ])
})

test('a lost thread is closed, gets nothing more and is not dialled again', () => {
  const { mesh, dialled } = meshOf()
  const link = new Recorder(1)
  mesh.connect(link)
  mesh.send(2, signal(0))
  for (const thread of [1, 2]) {
    mesh.lose(thread)
    assert.is(mesh.send(thread, signal(1)), false)
    assert.is(mesh.isLost(thread), true)
    assert.is(mesh.connected(thread), false)
  }
  assert.equal(link.sent, ['closed'])
  assert.equal(dialled, [2])
})

test('a broadcast goes to every thread that has a link, and to no other', () => {
  const { mesh } = meshOf()
  const links = [new Recorder(1), new Recorder(2), new Recorder(3)]
  for (const link of links) mesh.connect(link)
  mesh.lose(2)
  mesh.broadcast(signal(9))
  assert.equal(
    links.map((link) => link.sent.length),
    [1, 1, 1],
  )
  assert.equal(links[1]?.sent, ['closed'])
})

test('close closes every link once, and nothing goes anywhere after it', () => {
  const { mesh, dialled } = meshOf()
  const links = [new Recorder(1), new Recorder(2)]
  for (const link of links) mesh.connect(link)
  mesh.close()
  mesh.close()
  assert.is(mesh.send(1, signal(1)), false)
  assert.is(mesh.send(3, signal(1)), false)
  assert.equal(dialled, [])
  assert.equal(
    links.map((link) => link.sent),
    [['closed'], ['closed']],
  )
})

test.run()
