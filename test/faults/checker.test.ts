import { assert, suite } from '../harness.js'
import { assertClean, check, type Rule } from './support/checker.js'
import type { History, Operation, WatchHistory, WatchItem } from './support/history.js'

const test = suite('the checker of histories')

type Change = WatchItem & { kind: 'change' }

/** Twelve writes of `a`, every third one a batch of `a` and `b`; one watch of both, one of `a` with initial value and progress. */
function soundHistory(): History {
  const operations: Operation[] = []
  const both: WatchItem[] = []
  const onlyA: WatchItem[] = []
  const versions = { a: 0, b: 0 }
  const values: Record<string, unknown> = { a: 'a0', b: 'b0' }
  const change = (name: 'a' | 'b', value: unknown, revision: number): Change => ({
    kind: 'change',
    name,
    previous: values[name],
    value,
    version: versions[name],
    revision,
    initial: false,
    resync: false,
    deleted: false,
  })
  operations.push({
    client: 'setup',
    writes: { ...values },
    invoked: -1,
    returned: 0,
    outcome: 'ok',
    revision: 1,
    versions: { a: 0, b: 0 },
  })
  onlyA.push({ ...change('a', 'a0', 1), initial: true, previous: undefined })
  both.push({ ...change('a', 'a0', 1), initial: true, previous: undefined })
  both.push({ ...change('b', 'b0', 1), initial: true, previous: undefined })
  for (let i = 1; i <= 12; i++) {
    const revision = i + 1
    const names = i % 3 === 0 ? (['a', 'b'] as const) : (['a'] as const)
    const writes = Object.fromEntries(names.map((name) => [name, `${name}${i}`]))
    const written: Record<string, number> = {}
    for (const name of names) {
      versions[name] += 1
      written[name] = versions[name]
      const item = change(name, writes[name], revision)
      both.push(item)
      if (name === 'a') onlyA.push(item)
      values[name] = writes[name]
    }
    onlyA.push({ kind: 'progress', through: revision })
    if (i === 6) both.push({ kind: 'resume', through: revision })
    operations.push({
      client: 'w',
      writes,
      invoked: i,
      returned: i + 0.5,
      outcome: 'ok',
      revision,
      versions: written,
    })
  }
  const watch = (id: string, names: string[], items: WatchItem[]): WatchHistory => {
    return { client: 'c', id, names, every: true, begun: 0.7, carried: {}, items }
  }
  return {
    operations,
    watches: [watch('both', ['a', 'b'], both), watch('a', ['a'], onlyA)],
    incarnations: 'one',
    final: {
      a: { value: 'a12', version: 12, revision: 13 },
      b: { value: 'b12', version: 4, revision: 13 },
    },
  }
}

const itemsOf = (history: History, watch: number) => (history.watches[watch] as WatchHistory).items
const find = (items: WatchItem[], name: string, revision: number) =>
  items.findIndex((item) => item.kind === 'change' && item.name === name && item.revision === revision)
const changeAt = (items: WatchItem[], index: number) => items[index] as Change

test('a sound history has no fault', () => {
  assert.equal(check(soundHistory()), [])
  assertClean(soundHistory())
})

test('a lost log that is announced has no fault', () => {
  const history = soundHistory()
  history.incarnations = 'many'
  const items = itemsOf(history, 1)
  // What was told of revisions 5 to 9 never came; the value of 9 makes up for it.
  const first = find(items, 'a', 5)
  const last = find(items, 'a', 9)
  const present: Change = { ...changeAt(items, last), resync: true, previous: undefined }
  items.splice(first, last - first + 1, { kind: 'resync', reason: 'compacted', lostFrom: 5, lostTo: 9 }, present)
  assert.equal(check(history), [])
})

const faults: [what: string, rules: Rule[], plant: (history: History) => void][] = [
  [
    'a dropped change',
    ['Reliable', 'Bookmarkable', 'PreviousValue'],
    (history) => itemsOf(history, 1).splice(find(itemsOf(history, 1), 'a', 6), 1),
  ],
  [
    'the last change dropped',
    ['Reliable', 'Bookmarkable'],
    (history) => itemsOf(history, 1).splice(find(itemsOf(history, 1), 'a', 13), 1),
  ],
  [
    'a duplicated change',
    ['Unique', 'PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      const at = find(items, 'a', 6)
      items.splice(at, 0, changeAt(items, at))
    },
  ],
  [
    'two changes in the wrong order',
    ['Ordered', 'Reliable', 'PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      const at = find(items, 'a', 5)
      items.splice(at, 2, changeAt(items, at + 1), changeAt(items, at))
    },
  ],
  [
    'half an atomic revision',
    ['Atomic', 'Reliable', 'PreviousValue'],
    (history) => itemsOf(history, 0).splice(find(itemsOf(history, 0), 'b', 7), 1),
  ],
  [
    'present values of two moments',
    ['Atomic'],
    (history) => {
      const items = itemsOf(history, 0)
      const a = changeAt(items, find(items, 'a', 13))
      const b = changeAt(items, find(items, 'b', 10))
      history.final = {}
      items.length = 0
      items.push(
        { kind: 'resync', reason: 'compacted', lostFrom: 2, lostTo: 13 },
        { ...a, resync: true },
        { ...b, resync: true },
      )
      history.watches.length = 1
    },
  ],
  [
    'a wrong previous value',
    ['PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      const at = find(items, 'a', 6)
      items[at] = { ...changeAt(items, at), previous: 'a2' }
    },
  ],
  [
    'a silent gap where a watch was taken up again',
    ['Resumable', 'Reliable', 'PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      items.splice(find(items, 'a', 8), 1)
    },
  ],
  [
    'a repetition where a watch was taken up again',
    ['Resumable', 'Unique', 'Ordered', 'PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      const resumed = items.findIndex(({ kind }) => kind === 'resume')
      items.splice(resumed + 1, 0, changeAt(items, find(items, 'a', 6)))
    },
  ],
  [
    'a resync that nobody announced',
    ['Resumable'],
    (history) => {
      const items = itemsOf(history, 0)
      const at = find(items, 'a', 13)
      items[at] = { ...changeAt(items, at), resync: true }
    },
  ],
  [
    'progress ahead of a change',
    ['Bookmarkable'],
    (history) => {
      const items = itemsOf(history, 1)
      const at = find(items, 'a', 6)
      items.splice(at, 2, items[at + 1] as WatchItem, changeAt(items, at))
    },
  ],
  [
    'progress that goes back',
    ['Bookmarkable'],
    (history) => itemsOf(history, 1).push({ kind: 'progress', through: 3 }),
  ],
  [
    'an invented value',
    ['Reliable', 'Unique', 'PreviousValue'],
    (history) => {
      const items = itemsOf(history, 0)
      const at = find(items, 'a', 6)
      items[at] = { ...changeAt(items, at), value: 'nobody wrote this' }
    },
  ],
  [
    'a refused write that was told',
    ['Reliable'],
    (history) => {
      ;(history.operations[5] as Operation).outcome = 'refused'
    },
  ],
  [
    'a write that was carried out twice',
    ['Unique'],
    (history) => {
      const items = itemsOf(history, 0)
      const last = changeAt(items, find(items, 'b', 13))
      items.push({ ...last, previous: last.value, version: 5, revision: 14 })
      history.final = { ...history.final, b: { value: 'b12', version: 5, revision: 14 } }
    },
  ],
  [
    'an answer that is older than one before it',
    ['Ordered', 'Unique'],
    (history) => {
      const operation = history.operations[5] as Operation
      operation.revision = 2
    },
  ],
  [
    'an answered write that nobody saw',
    ['Reliable'],
    (history) => {
      history.operations.push({
        client: 'w',
        writes: { a: 'a lost one' },
        invoked: 20,
        returned: 21,
        outcome: 'ok',
        revision: 14,
        versions: { a: 13 },
      })
    },
  ],
]

for (const [what, rules, plant] of faults) {
  test(`finds ${what}`, () => {
    const history = soundHistory()
    plant(history)
    const found = new Set(check(history).map(({ rule }) => rule))
    for (const rule of rules) assert.ok(found.has(rule), `${rule} did not see it; seen by: ${[...found].join(', ')}`)
    assert.throws(() => assertClean(history), /violations/)
  })
}

test.run()
