import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BeamlineError, BridgeServer, type BridgeServerOptions } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { Peer, withServer } from '../support/bridges.js'
import { systemFor } from '../support/system.js'

const test = suite('bridge server: addresses and options', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

let folder = ''
test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'beamline-'))
})
test.after(() => rmSync(folder, { recursive: true, force: true }))

async function refusal(options: BridgeServerOptions): Promise<BeamlineError> {
  try {
    const server = await BridgeServer.start(system(), options)
    await server.stop()
  } catch (error) {
    assert.instance(error, BeamlineError)
    return error as BeamlineError
  }
  throw new Error(`a server was started with ${JSON.stringify(options)}`)
}

test('`:0` is a free port of this machine alone, and the address says which', () =>
  withServer(system(), { address: ':0' }, async (server) => {
    assert.match(server.address, /^127\.0\.0\.1:[1-9]\d*$/)
    using peer = new Peer(server.address)
    assert.equal((await peer.check()).value, { status: 'SERVING' })
    assert.is((await server.stats()).address, server.address)
  }))

test('localhost, and IPv6 in brackets', async () => {
  for (const [address, pattern] of [
    ['localhost:0', /^localhost:[1-9]\d*$/],
    ['[::1]:0', /^\[::1\]:[1-9]\d*$/],
  ] as const)
    await withServer(system(), { address }, async (server) => {
      assert.match(server.address, pattern)
      using peer = new Peer(server.address)
      assert.is((await peer.check()).code, 0)
    })
})

test('a unix socket is for its owner alone, and its file goes with the server', async () => {
  const path = join(folder, 'a.sock')
  await withServer(system(), { address: `unix:${path}` }, async (server) => {
    assert.is(server.address, `unix:${path}`)
    assert.is(statSync(path).mode & 0o777, 0o600)
    using peer = new Peer(server.address)
    assert.is((await peer.check()).code, 0)
  })
  assert.not(existsSync(path))
})

test('the socket file of a server that was killed is no obstacle, that of one that lives is', async () => {
  const path = join(folder, 'b.sock')
  const other = createServer().listen(path)
  await new Promise((resolve) => other.once('listening', resolve))
  const error = await refusal({ address: `unix:${path}` })
  assert.is(error.code, 'UNAVAILABLE')
  assert.is(error.details['reason'], 'EADDRINUSE')
  // Moved away and back, the file survives its server, as that of a killed one does.
  const { renameSync } = await import('node:fs')
  renameSync(path, `${path}.left`)
  await new Promise((resolve) => other.close(resolve))
  renameSync(`${path}.left`, path)
  await withServer(system(), { address: `unix:${path}` }, async (server) => {
    using peer = new Peer(server.address)
    assert.is((await peer.check()).code, 0)
  })
})

test('what is in the way of a socket is told', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'kept')
  const inTheWay = await refusal({ address: `unix:${file}` })
  assert.equal([inTheWay.code, inTheWay.details['reason']], ['UNAVAILABLE', 'EEXIST'])
  assert.ok(existsSync(file))
  const noFolder = await refusal({ address: `unix:${join(folder, 'none', 'a.sock')}` })
  assert.equal([noFolder.code, noFolder.details['reason']], ['NOT_FOUND', 'ENOENT'])
  const long = await refusal({ address: `unix:/${'a'.repeat(120)}` })
  assert.equal([long.code, long.details['option']], ['INVALID_TYPE', 'address'])
})

test('a port in use and an address of another machine are told', () =>
  withServer(system(), {}, async ({ address }) => {
    const taken = await refusal({ address })
    assert.equal([taken.code, taken.details['reason']], ['UNAVAILABLE', 'EADDRINUSE'])
    assert.match(taken.message, address)
    const foreign = await refusal({ address: '192.0.2.1:0', allowInsecureRemote: true })
    assert.equal([foreign.code, foreign.details['reason']], ['NOT_FOUND', 'EADDRNOTAVAIL'])
  }))

test('an address that other machines reach needs TLS and a token, or the word that it does not', async () => {
  for (const address of ['0.0.0.0:0', '[::]:0', 'example.org:0']) {
    const error = await refusal({ address, token: 'secret-token' })
    assert.is(error.code, 'PERMISSION_DENIED')
    assert.match(error.message, 'allowInsecureRemote')
    assert.not.match(error.message, 'secret-token')
  }
  await withServer(system(), { address: '0.0.0.0:0', allowInsecureRemote: true }, async (server) => {
    assert.match(server.address, /^0\.0\.0\.0:[1-9]/)
  })
})

test('options that make no sense are refused by name, and secrets are not told', async () => {
  const wrong: [string, object][] = [
    ['address', { address: 'nonsense' }],
    ['address', { address: '127.0.0.1:70000' }],
    ['address', { address: 50051 }],
    ['heartbeat', { heartbeat: 0 }],
    ['sessionTtl', { sessionTtl: -1 }],
    ['sessionTtl', { sessionTtl: 'long' }],
    ['reflection', { reflection: 'yes' }],
    ['limits.maxStreams', { limits: { maxStreams: 0 } }],
    ['limits.maxWatches', { limits: { maxWatches: 1.5 } }],
    ['limits.maxMessageBytes', { limits: { maxMessageBytes: Number.POSITIVE_INFINITY } }],
    ['limits.most', { limits: { most: 1 } }],
    ['token', { token: [] }],
    ['token', { token: '' }],
    ['token[0]', { token: [{ token: 'hush hush' }] }],
    ['token[0].permissions', { token: [{ token: 'hush', permissions: ['fly'] }] }],
    ['token[0].sessions', { token: [{ token: 'hush', sessions: 7 }] }],
    ['tls.cert', { tls: { key: 'hush' } }],
    ['tls.ca', { tls: { cert: 'hush', key: 'hush', requestClientCert: true } }],
    ['tls', { tls: { cert: 'hush', key: 'hush' } }],
    ['remoteTools', { remoteTools: '10.0.0.7' }],
    ['tsl', { tsl: {} }],
  ]
  for (const [option, options] of wrong) {
    const error = await refusal({ address: ':0', ...options } as BridgeServerOptions)
    assert.equal([error.code, error.details['option']], ['INVALID_TYPE', option], JSON.stringify(options))
    assert.not.match(error.message, 'hush')
  }
})

test('nothing is left of a server that could not start', async () => {
  const before = system().processes().length
  await refusal({ address: '192.0.2.1:0', allowInsecureRemote: true })
  assert.is(system().processes().length, before)
})

test.run()
