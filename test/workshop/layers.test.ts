import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
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

const test = suite('layers', { timeout: 60_000 })

test('imports only go down', () => {
  const { status, output } = cruise(root)
  assert.is(status, 0, output)
})

test('an import that goes up is caught', () => {
  const { status, output } = cruisePlanted({
    'threads/link.js': "import '../actors/host.js'\n",
    'actors/host.js': 'export const host = 1\n',
  })
  assert.is.not(status, 0)
  assert.match(output, /threads-imports-down-only/)
})

test('a cycle is caught', () => {
  const { status, output } = cruisePlanted({
    'actors/a.js': "import './b.js'\n",
    'actors/b.js': "import './a.js'\n",
  })
  assert.is.not(status, 0)
  assert.match(output, /no-cycles/)
})

test.run()
