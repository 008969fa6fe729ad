// Generates src/bridge/gen from proto/: node scripts/gen.mjs [--check]
// With --check it only says whether what is committed is what protoc makes. Needs protoc, Debian's protobuf-compiler.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const committed = join(root, 'src', 'bridge', 'gen')
const options = [
  'outputServices=grpc-js',
  'oneof=unions-value',
  'forceLong=number',
  'enumsAsLiterals=true',
  'esModuleInterop=true',
  'importSuffix=.js',
  'env=node',
  'useExactTypes=false',
  'useOptionals=none',
  'outputJsonMethods=false',
  'outputPartialMethods=true',
  // The versions of the tools are no part of what is generated: another protoc makes the same code.
  'annotateFilesWithVersion=false',
]

const isCheck = process.argv.includes('--check')
const version = spawnSync('protoc', ['--version'], { encoding: 'utf8' })
if (version.error) {
  console.error('protoc is missing: install it (Debian: apt install protobuf-compiler)')
  process.exit(isCheck ? 3 : 1)
}

const out = isCheck ? mkdtempSync(join(tmpdir(), 'gen-')) : committed
if (!isCheck) rmSync(committed, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
const plugin = join(root, 'node_modules', '.bin', 'protoc-gen-ts_proto')
const files = ['snakepit/bridge/bridge.proto', 'snakepit/bridge/watch/v1/watch.proto']
const { status, stderr } = spawnSync(
  'protoc',
  [`--plugin=${plugin}`, `--ts_proto_out=${out}`, `--ts_proto_opt=${options.join(',')}`, '-I', 'proto', ...files],
  { cwd: root, encoding: 'utf8' },
)
if (status !== 0) {
  console.error(stderr)
  process.exit(1)
}
if (isCheck) {
  const list = (folder) =>
    readdirSync(folder, { recursive: true })
      .filter((file) => file.endsWith('.ts'))
      .sort()
  const same = list(out).join() === list(committed).join()
  const differ = list(out).filter(
    (file) => !same || readFileSync(join(out, file), 'utf8') !== readFileSync(join(committed, file), 'utf8'),
  )
  rmSync(out, { recursive: true })
  if (differ.length > 0) {
    console.error(`src/bridge/gen is not what proto/ says (${differ.join(', ')}): run npm run gen and commit it`)
    process.exit(1)
  }
  console.log('src/bridge/gen is what proto/ says')
}
