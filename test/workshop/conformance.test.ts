import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

interface Promises {
  promisesIn(page: string): { readonly id: string; readonly text: string; readonly differs: boolean }[]
  idsOf(title: string): string[]
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const { promisesIn, idsOf } = (await import(join(root, 'scripts', 'promises.mjs'))) as Promises
const folder = join(root, 'test', 'conformance')

/** The titles that stand in the sources of the conformance suite. */
const titles = readdirSync(folder)
  .filter((file) => file.endsWith('.test.ts'))
  .flatMap((file) => [...readFileSync(join(folder, file), 'utf8').matchAll(/^\s*(?:\w+\(\s*)?['`]([A-K]\d.*)['`],/gm)])
  .map(([, title]) => title as string)

const promised = promisesIn(readFileSync(join(root, 'docs', 'semantics.md'), 'utf8')).map(({ id }) => id)
const tested = new Set(titles.flatMap(idsOf))

const test = suite('every promise has its test')

test('each id of the semantics page has a conformance test', () => {
  assert.equal(
    promised.filter((id) => !tested.has(id)),
    [],
  )
})

test('each conformance test has its id on the semantics page', () => {
  assert.equal(
    [...tested].filter((id) => !promised.includes(id)),
    [],
  )
})

test('the page has every letter from A to K', () => {
  assert.equal([...new Set(promised.map(([letter]) => letter))].sort().join(''), 'ABCDEFGHIJK')
  assert.is(promised.length, new Set(promised).size)
})

test('ids are read from rows and titles as they are written there', () => {
  const page = '| id | promise |\n| B7 | `a` [b](c.md) |\n| B11b †  | no |\n| C1, C2 † | d |\n| W1 | e |\n'
  assert.equal(promisesIn(page), [
    { id: 'B7', text: 'a b', differs: false },
    { id: 'C1', text: 'd', differs: true },
    { id: 'C2', text: 'd', differs: true },
  ])
  assert.equal(idsOf('B13b kill (isolated)'), ['B13b'])
  assert.equal(idsOf('K1, K11 both'), ['K1', 'K11'])
  for (const none of ['a B1', 'B1: no', 'L1 no', 'B no']) assert.equal(idsOf(none), [])
})

test.run()
