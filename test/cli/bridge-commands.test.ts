import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { framed, RawHttp2 } from '../faults/support/raw-http2.js'
import { assert, suite } from '../harness.js'
import { cli, type Outcome, runProgram } from './run-program.js'

const test = suite('the command line of a bridge', { timeout: 60_000 })
const certificates = fileURLToPath(new URL('../../../test/fixtures/tls/', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'beamline-cli-'))
const tokenFile = join(folder, 'token')
const SECRET = 'a-secret-of-the-test'
writeFileSync(tokenFile, `${SECRET}\n`)

let server: ChildProcess
let address: string
let complaints = ''

test.before(async () => {
  const args = ['serve', '--address', '127.0.0.1:0', '--session', 'lab', '--token-file', tokenFile, '--json']
  server = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  server.stderr?.on('data', (chunk) => {
    complaints += chunk
  })
  const [line] = (await once(server.stdout as NodeJS.ReadableStream, 'data')) as [Buffer]
  address = (JSON.parse(line.toString()) as { address: string }).address
})
test.after(async () => {
  rmSync(folder, { recursive: true })
  if (server.exitCode !== null) return
  server.kill('SIGKILL')
  await once(server, 'exit')
})

const beamline = (...args: string[]): Promise<Outcome> =>
  runProgram(cli, [...args, '--address', address, '--token-file', tokenFile, '--session', 'lab'])

test('set defines when told to, then writes; get, list and history show it', async () => {
  const defined = await beamline('set', 'temperature', '0.5', '--define', 'float')
  assert.equal([defined.code, defined.stderr], [0, ''])
  assert.match(defined.stdout, /^temperature = 0\.5 {2}\(version 0, revision 1\)\n$/)
  const set = await beamline('set', 'temperature', '-1.5', '--json', '--metadata', '{"reason":"test"}')
  assert.equal(JSON.parse(set.stdout), { name: 'temperature', value: -1.5, version: 1, revision: 2 })
  assert.is((await beamline('set', 'note', '7', '--define', 'string')).code, 0)
  assert.equal((await beamline('get', 'temperature')).stdout, '-1.5\n')
  assert.equal((await beamline('get', 'note', 'temperature')).stdout, 'note = 7\ntemperature = -1.5\n')
  const listed = await beamline('list', '--json')
  assert.equal(
    listed.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { name: string }).name),
    ['temperature', 'note'],
  )
  assert.match((await beamline('list', 'temp*')).stdout, /^temperature {2}float {2}v1 {2}-1\.5\n$/)
  const history = await beamline('history', 'temperature', '--json')
  assert.equal(
    history.stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { value: number }).value),
    [0.5, -1.5],
  )
  assert.match((await beamline('history', 'temperature', '--limit', '1')).stdout, /Z {2}version 1 {2}-1\.5\n$/)
})

test('watch tells initial values, changes, and every change after a revision', async () => {
  await beamline('set', 'level', '1', '--define', 'integer')
  await beamline('set', 'level', '7')
  await beamline('set', 'level', '2')
  const from = await beamline('watch', 'level', '--from-revision', '0', '--count', '2', '--json')
  assert.equal([from.code, from.stderr], [0, ''])
  const lines = from.stdout.trim().split('\n')
  assert.equal(
    lines.map((line) => (JSON.parse(line) as { value: number }).value),
    [7, 2],
  )
  const child = spawn(process.execPath, [
    cli,
    ...['watch', 'level', '--initial', '--address', address, '--token-file', tokenFile, '--session', 'lab'],
  ])
  let text = ''
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  while (!text.includes('\n')) await once(child.stdout, 'data')
  assert.match(text, /^level 2 {2}\(revision \d+, version 2, cli, initial\)\n$/)
  await beamline('set', 'level', '3')
  while (!text.includes('2 → 3')) await once(child.stdout, 'data')
  child.kill('SIGINT')
  const [code] = (await once(child, 'exit')) as [number]
  assert.is(code, 0)
})

test('what cannot be is refused with the exit code that says why, and with advice', async () => {
  const cases: [code: number, says: RegExp, ...args: string[]][] = [
    [3, /nothing/, 'get', 'nothing'],
    [3, /nothing/, 'set', 'nothing', '1'],
    [1, /temperature/, 'set', 'temperature', '1', '--expect', '77'],
    [2, /'warm' is no JSON, and temperature is a float: give a value such as '0.7'/, 'set', 'temperature', 'warm'],
    [2, /whole number/, 'history', 'temperature', '--limit', 'all'],
    [2, /exclude each other/, 'watch', 'temperature', '--initial', '--from-revision', '1'],
    [2, /JSON object/, 'set', 'temperature', '1', '--metadata', '[]'],
  ]
  for (const [code, says, ...args] of cases) {
    const outcome = await beamline(...args)
    assert.equal([outcome.code, outcome.stdout], [code, ''], args.join(' '))
    assert.match(outcome.stderr, says)
  }
})

test('a session that is not there is not found, and is not made', async () => {
  const at = ['--address', address, '--token-file', tokenFile]
  for (const args of [['get', 'x'], ['list'], ['history', 'x'], ['watch', 'x'], ['set', 'x', '1']])
    for (const _ of [1, 2]) {
      const { code, stderr, stdout } = await runProgram(cli, [...args, ...at, '--session', 'nowhere'])
      assert.equal([code, stdout], [3, ''], args.join(' '))
      assert.match(stderr, /nowhere/)
    }
})

test('without the token it is refused, and the token is told to nobody', async () => {
  for (const token of [[], ['--token', 'wrong']]) {
    const { code, stdout, stderr } = await runProgram(cli, [
      ...['list', '--address', address, '--session', 'lab'],
      ...token,
    ])
    assert.equal([code, stdout], [1, ''])
    assert.match(stderr, /--token-file/)
    assert.not.match(stderr, new RegExp(SECRET))
  }
})

test('where no bridge answers it says so, and in time', async () => {
  const { code, stderr } = await runProgram(cli, ['list', '--address', '127.0.0.1:1', '--timeout', '1'])
  assert.is(code, 5)
  assert.match(stderr, /no bridge answers at 127\.0\.0\.1:1: .*start/)
})

test('a bridge that is there and does not answer is a timeout', async () => {
  server.kill('SIGSTOP')
  try {
    const { code } = await runProgram(cli, ['list', '--address', address, '--token-file', tokenFile, '--timeout', '1'])
    assert.ok(code === 4 || code === 5)
  } finally {
    server.kill('SIGCONT')
  }
})

test('serve refuses what it cannot do', async () => {
  const refused: [code: number, says: RegExp, ...args: string[]][] = [
    [1, /token/, '--address', '0.0.0.0:0'],
    [1, /listens there already/, '--address', address],
    [2, /belong together/, '--tls-cert', tokenFile],
    [2, /cannot be read/, '--token-file', join(folder, 'none')],
    [2, /--token is empty/, '--token', ''],
    [2, /address/, '--address', 'nonsense'],
  ]
  for (const [code, says, ...args] of refused) {
    const outcome = await runProgram(cli, ['serve', ...args])
    assert.equal([outcome.code, outcome.stdout], [code, ''], args.join(' '))
    assert.match(outcome.stderr, says)
  }
  process.env['BEAMLINE_TOKEN'] = ''
  try {
    const { code, stderr } = await runProgram(cli, ['serve'])
    assert.is(code, 2)
    assert.match(stderr, /BEAMLINE_TOKEN is empty/)
  } finally {
    delete process.env['BEAMLINE_TOKEN']
  }
})

test('serve with an authority lets in only who shows a certificate of it', async () => {
  const [cert, key, ca] = ['server.pem', 'server.key', 'ca.pem'].map((name) => join(certificates, name)) as [
    string,
    string,
    string,
  ]
  const own = ['--tls-cert', cert, '--tls-key', key, '--tls-ca', ca]
  const mutual = spawn(process.execPath, [
    cli,
    'serve',
    '--address',
    '127.0.0.1:0',
    '--session',
    'lab',
    '--json',
    ...own,
  ])
  try {
    const [line] = (await once(mutual.stdout, 'data')) as [Buffer]
    const at = (JSON.parse(line.toString()) as { address: string }).address.replace('127.0.0.1', 'localhost')
    const list = (...args: string[]) =>
      runProgram(cli, ['list', '--address', at, '--session', 'lab', '--tls-ca', ca, ...args])
    const client = ['--tls-cert', join(certificates, 'client.pem'), '--tls-key', join(certificates, 'client.key')]
    assert.is((await list(...client)).code, 0)
    assert.is((await list('--timeout', '1')).code, 5)
  } finally {
    mutual.kill('SIGKILL')
    await once(mutual, 'exit')
  }
})

test('what a peer says is not printed, not even when it cannot be read', async () => {
  using raw = new RawHttp2(address)
  await raw.exchange('/snakepit.bridge.BridgeService/Ping', framed(Buffer.alloc(0)), {
    authorization: `Bearer ${SECRET}\u00ff`,
  })
})

test('SIGTERM drains it', async () => {
  server.kill('SIGTERM')
  const [code] = (await once(server, 'exit')) as [number]
  assert.is(code, 0)
  assert.match(complaints, /^draining, for at most 5000 ms; ask again to end at once\n$/)
})

test.run()
