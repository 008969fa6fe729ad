// Generates src/bridge/gen, and the Python of a test's client, from proto/: node scripts/gen.mjs [--check]
// With --check it only says whether what is committed is what protoc makes. Needs protoc, Debian's protobuf-compiler.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
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

const plugin = join(root, 'node_modules', '.bin', 'protoc-gen-ts_proto')
const compat = 'snakepit/bridge/bridge.proto'
const targets = [
  {
    folder: 'src/bridge/gen',
    ending: '.ts',
    args: (out) => [`--plugin=${plugin}`, `--ts_proto_out=${out}`, `--ts_proto_opt=${options.join(',')}`],
    files: [compat, 'snakepit/bridge/watch/v1/watch.proto'],
  },
  { folder: 'test/bridge/python/gen', ending: '_pb2.py', args: (out) => [`--python_out=${out}`], files: [compat] },
]

function generate({ folder, args, files }, out) {
  mkdirSync(out, { recursive: true })
  const { status, stderr } = spawnSync('protoc', [...args(out), '-I', 'proto', ...files], {
    cwd: root,
    encoding: 'utf8',
  })
  if (status !== 0) {
    console.error(`${folder}: ${stderr}`)
    process.exit(1)
  }
  for (const file of filesIn(out, '.ts')) {
    const path = join(out, file)
    writeFileSync(path, typed(readFileSync(path, 'utf8')))
  }
}

const filesIn = (folder, ending) =>
  (existsSync(folder) ? readdirSync(folder, { recursive: true }) : []).filter((file) => file.endsWith(ending)).sort()

/** Where the plugin says `any`, there is a type that says more. */
function typed(text) {
  return text
    .replaceAll('(reader as any).', '(reader as BinaryReader & { __tsProtoDecodeDepth?: number }).')
    .replaceAll('key: key as any', 'key')
    .replace(/(message\.\w+) = reader\.int32\(\) as any/g, '$1 = reader.int32() as typeof $1')
}

/** Whether what is committed is what is made. */
function check(target) {
  const committed = join(root, target.folder)
  const out = mkdtempSync(join(tmpdir(), 'gen-'))
  generate(target, out)
  const made = filesIn(out, target.ending)
  const same = made.join() === filesIn(committed, target.ending).join()
  const differ = made.filter(
    (file) => !same || readFileSync(join(out, file), 'utf8') !== readFileSync(join(committed, file), 'utf8'),
  )
  rmSync(out, { recursive: true })
  if (differ.length === 0) console.log(`${target.folder} is what proto/ says`)
  else console.error(`${target.folder} is not what proto/ says (${differ.join(', ')}): run npm run gen and commit it`)
  return differ.length === 0
}

if (isCheck) {
  if (!targets.map(check).every(Boolean)) process.exit(1)
} else {
  for (const target of targets) {
    const out = join(root, target.folder)
    rmSync(out, { recursive: true, force: true })
    generate(target, out)
  }
}
