import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { assert, eventually, suite } from '../harness.js'
import { endpoint, TcpProxy } from './support/tcp-proxy.js'

const test = suite('the proxy between client and server', { timeout: 15_000 })

class Peer {
  readonly socket: Socket
  text = ''
  ended = false
  closed: 'no' | 'clean' | 'reset' = 'no'

  constructor(socket: Socket) {
    this.socket = socket
    let reset = false
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => {
      this.text += chunk
    })
    socket.on('end', () => {
      this.ended = true
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset = error.code === 'ECONNRESET'
    })
    socket.on('close', () => {
      this.closed = reset ? 'reset' : 'clean'
    })
  }
}

type Ends = {
  readonly proxy: TcpProxy
  readonly client: Peer
  readonly server: Peer
  readonly again: () => Promise<Peer>
}

function through(body: (ends: Ends) => Promise<void>, at: number | string = 0): () => Promise<void> {
  return async () => {
    const listener = createServer({ allowHalfOpen: true })
    typeof at === 'number' ? listener.listen(at, '127.0.0.1') : listener.listen(at)
    await once(listener, 'listening')
    const address = typeof at === 'string' ? `unix:${at}` : `127.0.0.1:${(listener.address() as AddressInfo).port}`
    const peers: Peer[] = []
    try {
      await using proxy = await TcpProxy.start(address)
      const dial = async (): Promise<[client: Peer, server: Peer]> => {
        const accepted = once(listener, 'connection')
        const client = new Peer(connect({ ...endpoint(proxy.address), allowHalfOpen: true }))
        const server = new Peer(((await accepted) as [Socket])[0])
        peers.push(client, server)
        return [client, server]
      }
      const [client, server] = await dial()
      await body({ proxy, client, server, again: async () => (await dial())[1] })
    } finally {
      for (const { socket } of peers) socket.destroy()
      listener.close()
    }
  }
}

const echo = async ({ client, server }: Ends, up = 'ping', down = 'pong') => {
  client.socket.write(up)
  await eventually(() => server.text.endsWith(up))
  server.socket.write(down)
  await eventually(() => client.text.endsWith(down))
}

test(
  'passes both directions on, and ends',
  through(async (ends) => {
    await echo(ends)
    assert.equal(
      [ends.proxy.accepted, ends.proxy.open, ends.proxy.passed('up'), ends.proxy.passed('down')],
      [1, 1, 4, 4],
    )
    ends.client.socket.end('last')
    await eventually(() => ends.server.ended)
    assert.equal(ends.server.text, 'pinglast')
    ends.server.socket.end('word')
    await eventually(() => ends.client.closed === 'clean' && ends.client.text === 'pongword')
    await eventually(() => ends.proxy.open === 0)
  }),
)

const folder = mkdtempSync(join(tmpdir(), 'beamline-proxy-'))
test.after(() => rmSync(folder, { recursive: true }))
test('reaches a unix socket', through(echo, join(folder, 'server.sock')))

test(
  'a paused direction keeps its bytes, the other goes on',
  through(async (ends) => {
    const { proxy, client, server } = ends
    proxy.pause('up')
    client.socket.write('held')
    server.socket.write('free')
    await eventually(() => client.text === 'free')
    assert.equal(server.text, '')
    proxy.resume('up')
    await eventually(() => server.text === 'held')
    await echo(ends)
  }),
)

test(
  'a paused direction fills the window of the sender',
  through(async ({ proxy, client, server }) => {
    proxy.pause('up')
    const chunk = 'x'.repeat(1 << 20)
    let sent = 0
    while (client.socket.writableLength < 8 * chunk.length && sent < 64) {
      client.socket.write(chunk)
      sent += 1
    }
    assert.ok(client.socket.writableLength >= 8 * chunk.length, 'the kernel took all')
    proxy.resume('up')
    await eventually(() => server.text.length === sent * chunk.length)
  }),
)

test(
  'a black hole swallows, also of connections made later, until it is healed',
  through(async ({ proxy, client, server, again }) => {
    proxy.blackHole('up')
    client.socket.write('lost')
    server.socket.write('seen')
    await eventually(() => client.text === 'seen')
    proxy.blackHole('both')
    const late = await again()
    late.socket.write('lost too')
    proxy.heal()
    const sound = await again()
    assert.equal([server.text, client.text, client.closed], ['', 'seen', 'no'])
    sound.socket.write('x')
    await eventually(() => proxy.passed('down') === 'seen'.length + 1)
    assert.equal([proxy.accepted, proxy.open], [3, 3])
  }),
)

test(
  'a reset reaches both ends',
  through(async ({ proxy, client, server }) => {
    proxy.reset()
    await eventually(() => client.closed === 'reset' && server.closed === 'reset')
    assert.equal(proxy.open, 0)
  }),
)

test(
  'a half-close is an end in one direction',
  through(async ({ proxy, client, server }) => {
    proxy.halfClose('up')
    await eventually(() => server.ended)
    server.socket.write('still here')
    await eventually(() => client.text === 'still here')
    assert.equal([client.ended, client.closed], [false, 'no'])
  }),
)

test(
  'a delay makes bytes late and keeps their order',
  through(async (ends) => {
    ends.proxy.delay(60, 'up')
    const start = performance.now()
    ends.client.socket.write('a')
    ends.client.socket.write('b')
    await eventually(() => ends.server.text === 'ab')
    assert.ok(performance.now() - start >= 55)
    ends.proxy.delay(0)
    await echo(ends)
  }),
)

test(
  'a cut comes after exactly so many bytes',
  through(async ({ proxy, client, server, again }) => {
    proxy.cutAfter(5, 'down')
    server.socket.write('123')
    await eventually(() => client.text === '123')
    server.socket.write('45678')
    await eventually(() => assert.equal([client.closed, server.closed], ['reset', 'reset']))
    assert.equal(client.text, '12345')
    const late = await again()
    late.socket.write('123456')
    await eventually(() => late.closed !== 'no')
  }),
)

test(
  'refuses',
  through(async ({ proxy }) => {
    proxy.refuse()
    const client = new Peer(connect(endpoint(proxy.address)))
    await eventually(() => client.closed === 'reset')
    assert.equal([proxy.accepted, proxy.open], [2, 1])
  }),
)

test.run()
