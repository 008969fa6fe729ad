import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { credentials, Metadata, status } from '@grpc/grpc-js'
import { WatchVariablesRequest } from '../../src/bridge/gen/snakepit/bridge/bridge.js'
import { settingsOf } from '../../src/bridge/server/server-options.js'
import { TokenGuard } from '../../src/bridge/server/token-guard.js'
import type { BeamlineError, BridgeServer, TokenGrant } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { answer, bearer, Peer, pem, withServer } from '../support/bridges.js'
import { systemFor } from '../support/system.js'

const test = suite('bridge server: who may come in', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

const tls = { cert: pem('server.pem'), key: pem('server.key') }
const trusting = (key?: string) =>
  credentials.createSsl(pem('ca.pem'), key ? pem(`${key}.key`) : null, key ? pem(`${key}.pem`) : null)

/** Whether a client is let in, however long its channel would go on trying. */
async function isServed(server: BridgeServer, creds = credentials.createInsecure()): Promise<boolean> {
  using peer = new Peer(server.address, creds)
  const { code } = await peer.check()
  if (code !== status.OK) assert.is(code, status.UNAVAILABLE)
  return code === status.OK
}

test('TLS: who trusts the authority is served, who does not, or speaks plainly, is not', () =>
  withServer(system(), { tls }, async (server) => {
    assert.ok(await isServed(server, trusting()))
    assert.not(await isServed(server, credentials.createSsl(pem('other-ca.pem'))))
    assert.not(await isServed(server))
    assert.ok(await isServed(server, trusting()), 'the server lives')
  }))

test('TLS to a server that speaks plainly comes to nothing', () =>
  withServer(system(), {}, async (server) => {
    assert.not(await isServed(server, trusting()))
    assert.ok(await isServed(server))
  }))

test('mutual TLS: only who shows a certificate of the authority is served', () =>
  withServer(system(), { tls: { ...tls, ca: pem('ca.pem'), requestClientCert: true } }, async (server) => {
    assert.ok(await isServed(server, trusting('client')))
    assert.not(await isServed(server, trusting()))
    assert.not(await isServed(server, trusting('stranger')))
  }))

test('TLS and a token open an address of all interfaces', () =>
  withServer(system(), { address: '0.0.0.0:0', tls, token: 'open-sesame' }, async ({ address }) => {
    using peer = new Peer(address.replace('0.0.0.0', '127.0.0.1'), trusting())
    assert.is((await peer.ping()).code, status.UNAUTHENTICATED)
    assert.is((await peer.ping(bearer('open-sesame'))).code, status.OK)
  }))

test('without the token nobody gets anywhere but to the health of the server', () =>
  withServer(system(), { token: 'open-sesame', reflection: true }, async (server) => {
    using peer = new Peer(server.address)
    const basic = new Metadata()
    basic.set('authorization', 'Basic open-sesame')
    for (const metadata of [new Metadata(), bearer('open-sesam'), bearer('open-sesame2'), basic]) {
      const { code, details } = await peer.ping(metadata)
      assert.is(code, status.UNAUTHENTICATED)
      assert.not.match(details, 'sesam')
    }
    const stream = answer((done) => {
      const call = peer.bridge.watchVariables(WatchVariablesRequest.fromPartial({ sessionId: 's' }), bearer('wrong'))
      call.on('data', () => {})
      call.on('error', done)
    })
    assert.is((await stream).code, status.UNAUTHENTICATED)
    assert.is((await peer.check()).code, status.OK)
    assert.is((await peer.ping(bearer('open-sesame'))).code, status.OK)
    assert.is((await server.stats()).counts['refused'], 5)
  }))

function guard(...token: TokenGrant[]): TokenGuard {
  return new TokenGuard(settingsOf({ address: ':0', token }).grants ?? [])
}

function codeOf(what: () => void): string {
  try {
    what()
    return 'OK'
  } catch (error) {
    return (error as BeamlineError).code
  }
}

test('a token is good for its sessions and permissions, and says nothing of what else there is', () => {
  const reader = { token: 'reads', sessions: ['a', 'team-*'], permissions: ['read', 'observe'] } as const
  const both = guard(reader, { token: 'all' })
  const caller = both.admit(bearer('reads'))
  assert.is(both.admit(bearer('all')).require('anything', 'optimize'), undefined)
  for (const session of ['a', 'team-', 'team-7'])
    assert.is(
      codeOf(() => caller.require(session, 'observe')),
      'OK',
    )
  for (const [session, permission] of [
    ['a', 'write'],
    ['b', 'read'],
    ['A', 'read'],
    ['my-team-7', 'read'],
  ] as const) {
    let text = ''
    try {
      caller.require(session, permission)
    } catch (error) {
      assert.is((error as BeamlineError).code, 'PERMISSION_DENIED')
      text = (error as BeamlineError).message
    }
    assert.is(text, `the token does not give the permission to ${permission} in this session`)
  }
})

test('settings keep no token, only its hash', () => {
  const { grants } = settingsOf({ address: ':0', token: 'hush' })
  assert.not.match(JSON.stringify(grants), 'hush')
  assert.is(grants?.[0]?.hash.length, 32)
})

test('an option that is not known is named, and its value, which may be a secret, is not told', () => {
  for (const option of ['tokens', 'tlsKey'])
    assert.throws(
      () => settingsOf({ [option]: 'hunter2' } as object),
      ({ message, details }: BeamlineError) =>
        details['option'] === option && message.includes(option) && !message.includes('hunter2'),
    )
})

/** Says `bytes` to a server and waits until it hangs up. */
async function shout(address: string, bytes: Buffer): Promise<void> {
  const socket = connect(Number(address.split(':').at(-1)), '127.0.0.1')
  socket.on('error', () => {})
  socket.resume()
  socket.end(bytes)
  await once(socket, 'close')
}

const noise = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919 + 13) % 251))

test('bytes that mean nothing end their connection, and nothing else', async () => {
  for (const options of [{}, { tls }])
    await withServer(system(), options, async (server) => {
      const creds = 'tls' in options ? trusting() : credentials.createInsecure()
      using peer = new Peer(server.address, creds)
      assert.is((await peer.check()).code, status.OK)
      const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
      for (const bytes of [
        noise,
        Buffer.from('GET / HTTP/1.1\r\n\r\n'),
        Buffer.concat([preface, noise]),
        Buffer.alloc(0),
      ])
        await shout(server.address, bytes)
      assert.is((await peer.check()).code, status.OK)
      assert.is((await server.stats()).starts, 1)
    })
})

test('a TLS peer that does not like the certificate does no harm', () =>
  withServer(system(), { tls }, async (server) => {
    const socket = connectTls({ port: Number(server.address.split(':')[1]), host: '127.0.0.1' })
    const [error] = await once(socket, 'error')
    assert.is(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
    assert.ok(await isServed(server, trusting()))
  }))

test('a message that is too long is answered RESOURCE_EXHAUSTED, and the server lives', () =>
  withServer(system(), {}, async (server) => {
    using peer = new Peer(server.address)
    const { code, details } = await peer.ping(new Metadata(), 'x'.repeat(50 * 1024 * 1024))
    assert.is(code, status.RESOURCE_EXHAUSTED, details)
    assert.is((await peer.check()).code, status.OK)
    assert.is((await server.stats()).starts, 1)
  }))

test.run()
