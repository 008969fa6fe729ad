import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, posix, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const config = join(root, '.dependency-cruiser.cjs')
const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')

function cruise(folder: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cruiser, 'build/src', '--config', config], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { status, output: stdout + stderr }
}

/** The outcome for a tree with these built files. */
function cruisePlanted(files: Readonly<Record<string, string>>): { status: number | null; output: string } {
  const folder = mkdtempSync(join(tmpdir(), 'beamline-layers-'))
  try {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    for (const [file, text] of Object.entries(files)) {
      const path = join(folder, 'build/src', file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text)
    }
    return cruise(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Source {
  readonly file: string
  readonly text: string
}

function sources(): Source[] {
  const src = join(root, 'src')
  return readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file: file.replaceAll(sep, '/'), text: readFileSync(join(src, file), 'utf8') }))
}

/** From the top; what may stand anywhere above has no place here. */
const layers = ['testing', 'cli', 'index', 'bridge', 'variables', 'supervisor', 'actors', 'threads', 'errors']

/** The imports, whether of types or not, that lead to a higher layer. */
function upwardImports(files: readonly Source[]): string[] {
  const layerOf = (path: string) => layers.indexOf(path.replace(/\.[jt]s$/, '').split('/')[0] as string)
  return files.flatMap(({ file, text }) =>
    [...text.matchAll(/(?:from |import\()'(\.[^']*)'/g)]
      .map(([, target]) => target as string)
      .filter((target) => {
        const to = layerOf(posix.join(posix.dirname(file), target))
        return to !== -1 && to < layerOf(file)
      })
      .map((target) => `${file}: ${target}`),
  )
}

const test = suite('layers', { timeout: 60_000 })

test('imports only go down', () => {
  const { status, output } = cruise(root)
  assert.is(status, 0, output)
})

test('imports of types only go down, too', () => {
  assert.equal(upwardImports(sources()), [])
})

test('an import of a type that goes up is caught', () => {
  const planted = [
    { file: 'threads/link.ts', text: "import type { Host } from '../actors/host.js'\n" },
    { file: 'actors/host.ts', text: "import {\n  type Link,\n} from '../threads/link.js'\n" },
    { file: 'variables/context.ts', text: "type All = typeof import('../index.js')\n" },
    { file: 'errors.ts', text: "export type { Link } from './threads/link.js'\n" },
  ]
  assert.equal(upwardImports(planted), [
    'threads/link.ts: ../actors/host.js',
    'variables/context.ts: ../index.js',
    'errors.ts: ./threads/link.js',
  ])
})

const violations: [rule: string, files: Readonly<Record<string, string>>][] = [
  ['threads-imports-down-only', { 'threads/link.js': "import '../actors/host.js'", 'actors/host.js': '' }],
  ['actors-imports-down-only', { 'actors/host.js': "import('../variables/watch.js')", 'variables/watch.js': '' }],
  ['variables-imports-down-only', { 'variables/watch.js': "import '../testing/clock.js'", 'testing/clock.js': '' }],
  ['supervisors-are-like-users', { 'supervisor/child.js': "import '../actors/cell.js'", 'actors/cell.js': '' }],
  ['testing-stands-on-three', { 'testing/clock.js': "import '../cli/main.js'", 'cli/main.js': '' }],
  ['index-is-the-top', { 'variables/watch.js': "import '../index.js'", 'index.js': '' }],
  ['errors-is-the-bottom', { 'errors.js': "import './threads/link.js'", 'threads/link.js': '' }],
  ['no-cycles', { 'actors/a.js': "import './b.js'", 'actors/b.js': "import './a.js'" }],
  ['threads-and-actors-start-fast', { 'actors/host.js': "import 'zod'" }],
  ['only-pools-knows-piscina', { 'threads/link.js': "import 'piscina'" }],
  ['commander-is-for-the-cli', { 'variables/watch.js': "import 'commander'" }],
  ['only-the-door-knows-comlink', { 'variables/watch.js': "import 'comlink'" }],
  [
    'foreign-threads-start-fast',
    { 'variables/door/remote.js': "import '../state.js'", 'variables/state.js': "import 'zod'" },
  ],
  ['everything-resolves', { 'threads/link.js': "import './nowhere.js'" }],
]

for (const [rule, files] of violations) {
  test(`a violation of ${rule} is caught`, () => {
    const { status, output } = cruisePlanted(files)
    assert.is.not(status, 0)
    assert.match(output, new RegExp(`error ${rule}:`))
  })
}

test.run()
