import { readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { assert, suite } from '../harness.js'

const root = fileURLToPath(new URL('../../../', import.meta.url))

/** A rule for lines. */
interface Rule {
  readonly pattern: RegExp
  readonly unless?: RegExp
}

interface File {
  readonly file: string
  readonly text: string
}

/** The folders and files of the repository that somebody wrote; it needs no git, for a checkout without one. */
const files: File[] = [
  ...['src', 'test', 'bench', 'examples', 'scripts', 'docs', '.ci'].flatMap(filesUnder),
  ...readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(json|md|cjs)$/.test(entry.name) && entry.name !== 'package-lock.json')
    .map((entry) => entry.name),
].map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))

function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter((file) => !/^bench\/(results|peers\/node_modules)\//.test(file) && !file.endsWith('package-lock.json'))
}

const code = files.filter(({ file }) => /\.(ts|mjs)$/.test(file))
const src = code.filter(({ file }) => file.startsWith('src/'))
/** Where it is the point that real time passes: faults that come at random moments, and last. */
const realTime = ['test/faults/support/storm.ts']
const tests = code.filter(({ file }) => file.startsWith('test/') && !file.includes('/fixtures/'))

/** The places that break the rule. A pattern may look at what follows on the next lines. */
function breaches(within: readonly File[], { pattern, unless }: Rule): string[] {
  return within.flatMap(({ file, text }) =>
    [...text.matchAll(new RegExp(pattern, 'gm'))].flatMap(({ index }) => {
      const before = text.slice(0, index)
      const line = text.slice(before.lastIndexOf('\n') + 1).split('\n')[0] as string
      return unless?.test(line) ? [] : [`${file}:${before.split('\n').length}: ${line.trim()}`]
    }),
  )
}

const comment = /^\s*(\/\/|\/?\*)/
const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

const rules = {
  sleep: {
    pattern: /await (sleep|delay|setTimeout)\(|new Promise(<\w+>)?\(\s*(\((\w|, )*\)|\w+) =>\s*\{?\s*setTimeout\(/,
  },
  partial: { pattern: /\b\w+\.(skip|only)\(/ },
  bareUvu: { pattern: /^(import|export) .* from 'uvu/ },
  any: { pattern: /(:|\bas|\||&) any\b(?!:)|<any\b|\bany\[\]/, unless: comment },
  defaultExport: { pattern: /^export default|^export \{.*\bas default\b/ },
  unfinished: { pattern: /\b(TO(?:DO)|FIX(?:ME)|X{3}|HA(?:CK))\b/ },
  machine: {
    pattern: new RegExp(
      [root, join(homedir(), sep)]
        .filter((path) => path.length > 2)
        .map((path) => `(?<![\\w.])${escaped(path)}`)
        .concat('(?<![\\w.])/(home|Users|root|tmp)/\\w', '[A-Z]:\\\\\\\\?Users')
        .join('|'),
    ),
  },
} satisfies Record<string, Rule>

const test = suite('house rules')

test('no file of code has more than 300 lines', () => {
  // What protoc has made is as long as the messages are many.
  const written = code.filter(({ file }) => !file.startsWith('src/bridge/gen/'))
  const long = written.filter(({ text }) => text.trimEnd().split('\n').length > 300)
  assert.equal(
    long.map(({ file }) => file),
    [],
  )
})

test('no test is skipped or exclusive', () => {
  assert.equal(breaches(tests, rules.partial), [])
})

test('every suite is one of the harness', () => {
  const others = tests.filter(({ file }) => !['test/harness.ts', 'test/harness/assert.ts'].includes(file))
  assert.equal(breaches(others, rules.bareUvu), [])
})

test('no test sleeps', () => {
  const others = tests.filter(({ file }) => !realTime.includes(file))
  assert.equal(breaches(others, rules.sleep), [])
})

test('src has no any, no default export and no unfinished work', () => {
  assert.equal(breaches(src, rules.any), [])
  assert.equal(breaches(src, rules.defaultExport), [])
  assert.equal(breaches(src, rules.unfinished), [])
})

test('no file knows the machine it was written on', () => {
  assert.equal(breaches(files, rules.machine), [])
})

test('the README gives the two commands', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  assert.match(readme, /npm ci && npm start/)
  assert.match(readme, /npm ci && npm test/)
})

// In pieces, so that this file keeps the rules that it tests.
const breaking: Readonly<Record<keyof typeof rules, readonly string[]>> = {
  sleep: [
    ['  await ', 'sleep(10)'].join(''),
    ['await new Promise((resolve) => set', 'Timeout(resolve, 10))'].join(''),
    ['await new Promise<void>((resolve) => {\n  set', 'Timeout(resolve, 10)\n})'].join(''),
  ],
  partial: [['test.sk', "ip('x', () => {})"].join(''), ['suiteOfMine.on', "ly('x', () => {})"].join('')],
  bareUvu: [["import { suite } from 'uv", "u'"].join('')],
  any: ['const x: any = 1', 'const x = y as any', 'const x: any[] = []', 'new Map<any, 1>()', 'type A = B | any'],
  defaultExport: ['export default class {}', 'export { x as default }'],
  unfinished: [['// TO', 'DO: later'].join('')],
  machine: [['see /ho', 'me/me/x'].join(''), `cd ${root}src`, ["'/tm", "p/x'"].join('')],
}

for (const [name, texts] of Object.entries(breaking)) {
  test(`a breach of the rule for ${name} is seen`, () => {
    for (const text of texts) {
      const seen = breaches([{ file: 'planted.ts', text: `\n${text}\n` }], rules[name as keyof typeof rules])
      assert.match(seen.join(), /^planted\.ts:2: /, text)
    }
  })
}

test('what only looks like a breach is none', () => {
  const innocent: [keyof typeof rules, string][] = [
    ['sleep', 'const timer = setTimeout(() => reject(late), 10)'],
    ['any', '/** None given: any is. */'],
    ['any', 'const company = { many: 1 }'],
    ['machine', 'https://example.org/home/page'],
    ['machine', "import '../src/tmp/x.js'"],
  ]
  for (const [name, text] of innocent) assert.equal(breaches([{ file: 'planted.ts', text }], rules[name]), [], text)
})

test.run()
