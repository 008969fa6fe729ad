import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
const files = tracked.split('\n').filter((file) => file !== '' && existsSync(join(root, file)))
const code = files.filter((file) => /^(src|test|bench|examples|scripts)\/.*\.(ts|mjs)$/.test(file))

/** The files among `within` in which a line matches, each with its line. */
function matches(within: readonly string[], pattern: RegExp): string[] {
  return within.flatMap((file) =>
    readFileSync(join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, index) => (pattern.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
  )
}

const test = suite('house rules')

test('no file has more than 300 lines', () => {
  const long = code.filter((file) => readFileSync(join(root, file), 'utf8').split('\n').length > 301)
  assert.equal(long, [])
})

test('no test is skipped or exclusive', () => {
  const tests = code.filter((file) => file.startsWith('test/') && !file.includes('/fixtures/'))
  assert.equal(matches(tests, /\btest\.(skip|only)\(/), [])
})

test('no test sleeps', () => {
  const tests = code.filter((file) => file.startsWith('test/') && !file.includes('/fixtures/'))
  assert.equal(matches(tests, /await (sleep|delay|setTimeout)\(|await new Promise\(.*setTimeout/), [])
})

test('src has no any, no default export and no unfinished work', () => {
  const src = code.filter((file) => file.startsWith('src/'))
  assert.equal(matches(src, /: any\b|\bas any\b|<any>/), [])
  assert.equal(matches(src, /^export default/), [])
  assert.equal(matches(src, /\b(TODO|FIXME|XXX|HACK)\b/), [])
})

test('the README gives the two commands', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  assert.match(readme, /npm ci && npm start/)
  assert.match(readme, /npm ci && npm test/)
})

test.run()
