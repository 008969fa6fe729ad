import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pages = ['README.md', 'CHANGELOG.md', ...readdirSync(join(root, 'docs')).map((page) => `docs/${page}`)].filter(
  (page) => page.endsWith('.md'),
)
const read = (file: string) => readFileSync(join(root, file), 'utf8')

const test = suite('documentation')

test('every link to a file leads to one', () => {
  const broken = pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:)([^)#]+)/g)]
      .map(([, target]) => target as string)
      .filter((target) => !existsSync(join(root, dirname(page), target)))
      .map((target) => `${page}: ${target}`),
  )
  assert.equal(broken, [])
})

test('every file that the design page names is there', () => {
  const named = [
    ...read('docs/design.md').matchAll(/`((?:src\/)?(?:threads|actors|variables|cli|testing)\/[\w./-]+\.ts)`/g),
  ]
  const missing = named
    .map(([, file]) => join('src', (file as string).replace(/^src\//, '')))
    .filter((file) => !existsSync(join(root, file)))
  assert.equal(missing, [])
})

test('every promise has an id of its own', () => {
  const ids = [...read('docs/semantics.md').matchAll(/^\| ([A-Z]\d+(?:, [A-Z]\d+)*) \|/gm)].flatMap(([, cell]) =>
    (cell as string).split(', '),
  )
  assert.equal(ids.length > 50, true)
  assert.equal(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  )
})

test.run()
