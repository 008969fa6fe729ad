import { Hysteresis } from '../../src/cli/demo/hysteresis.js'
import { Ledger } from '../../src/cli/demo/ledger.js'
import { type LoadLevel, loadLevel } from '../../src/cli/demo/load-level.js'
import { Rate } from '../../src/cli/demo/rate.js'
import * as exponential from '../../src/cli/demo/strategies/exponential.js'
import * as movingAverage from '../../src/cli/demo/strategies/moving-average.js'
import * as none from '../../src/cli/demo/strategies/none.js'
import { assert, suite } from '../harness.js'

const test = suite('what the demo derives')

const levels: [cpu: number, from: LoadLevel, to: LoadLevel][] = [
  [0, 'idle', 'idle'],
  [14.9, 'idle', 'idle'],
  [15, 'idle', 'normal'],
  [60, 'idle', 'busy'],
  [100, 'idle', 'overloaded'],
  [14, 'normal', 'normal'],
  [10, 'normal', 'normal'],
  [9.9, 'normal', 'idle'],
  [55, 'busy', 'busy'],
  [54, 'busy', 'normal'],
  [81, 'overloaded', 'overloaded'],
  [79, 'overloaded', 'busy'],
  [0, 'overloaded', 'idle'],
]
for (const [cpu, from, to] of levels) {
  test(`load level: ${from} at ${cpu} % is ${to}`, () => assert.is(loadLevel(cpu, from), to))
}

test('hysteresis turns on at one value and off below another', () => {
  const state = new Hysteresis({ on: 90, off: 60 })
  const seen = [50, 89, 90, 95, 60, 59, 70, 91].map((value) => [state.turns(value), state.raised])
  const turned = seen.map(([turns]) => turns)
  assert.equal(turned, [false, false, true, false, false, true, false, true])
  assert.equal(
    seen.map(([, raised]) => raised),
    [false, false, true, true, true, false, false, true],
  )
})

test('the strategies smooth', () => {
  const smooth = ({ createSmoother }: typeof none, values: number[]) => values.map(createSmoother())
  assert.equal(smooth(none, [0, 10, 5]), [0, 10, 5])
  assert.equal(smooth(movingAverage, [0, 10, 5]), [0, 5, 5])
  assert.is(smooth(movingAverage, [999, ...Array.from({ length: 20 }, () => 7)]).at(-1), 7)
  const [first, second = 0, third = 0] = smooth(exponential, [0, 10, 10])
  assert.is(first, 0)
  assert.ok(0 < second && second < third && third < 10)
})

test('a rate is the growth of the last second or so', () => {
  const rate = new Rate()
  assert.is(rate.next(0.5, 10), 20)
  assert.is(rate.next(1, 20), 20)
  for (let at = 1.5; at <= 4; at += 0.5) rate.next(at, 20)
  assert.is(rate.next(4.5, 20), 0)
  assert.is(rate.next(4.5, 20), 0)
})

const told = (version: number, revision: number) => ({ initial: false, version, revision })
const begun = (version: number, revision: number) => ({ initial: true, version, revision })
const clean = { lost: 0, repeated: 0 }

const books: [what: string, entries: [string, ReturnType<typeof told>][], version: number, tally: object][] = [
  ['nothing yet', [['a', begun(3, 9)]], 3, { delivered: 0, expected: 0, ...clean }],
  [
    'all there',
    [
      ['a', begun(3, 9)],
      ['a', told(4, 10)],
      ['a', told(5, 11)],
    ],
    5,
    { delivered: 2, expected: 2, ...clean },
  ],
  [
    'one lost between',
    [
      ['a', begun(0, 0)],
      ['a', told(1, 1)],
      ['a', told(3, 3)],
    ],
    3,
    { delivered: 2, expected: 3, lost: 1, repeated: 0 },
  ],
  [
    'the last one lost',
    [
      ['a', begun(0, 0)],
      ['a', told(1, 1)],
    ],
    2,
    { delivered: 1, expected: 2, lost: 1, repeated: 0 },
  ],
  [
    'one twice',
    [
      ['a', begun(0, 0)],
      ['a', told(1, 1)],
      ['a', told(1, 1)],
    ],
    1,
    { delivered: 1, expected: 1, lost: 0, repeated: 1 },
  ],
  [
    'one too late',
    [
      ['a', begun(0, 0)],
      ['a', told(2, 2)],
      ['a', told(1, 1)],
    ],
    2,
    { delivered: 1, expected: 2, lost: 1, repeated: 1 },
  ],
  [
    'a commit skipped',
    [
      ['a', begun(0, 0)],
      ['a', told(1, 2)],
    ],
    1,
    { delivered: 1, expected: 1, lost: 1, repeated: 0 },
  ],
  ['never begun', [['a', told(1, 1)]], 1, { delivered: 0, expected: 0, lost: 0, repeated: 1 }],
]
for (const [what, entries, version, tally] of books) {
  test(`ledger: ${what}`, () => {
    const ledger = new Ledger()
    for (const [name, entry] of entries) ledger.enter(name, entry)
    assert.equal(ledger.balance([{ name: 'a', version, revision: 20 }], 20), tally)
  })
}

test('ledger: two variables of one commit, and a change that is newer than the question', () => {
  const ledger = new Ledger()
  for (const name of ['a', 'b']) ledger.enter(name, begun(0, 0))
  for (const name of ['a', 'b']) ledger.enter(name, told(1, 1))
  const variables = [
    { name: 'a', version: 1, revision: 1 },
    { name: 'b', version: 2, revision: 2 },
    { name: 'unwatched', version: 7, revision: 1 },
  ]
  assert.equal(ledger.balance(variables, 1), { delivered: 2, expected: 2, ...clean })
  assert.equal(ledger.balance(variables, 2), { delivered: 2, expected: 3, lost: 1, repeated: 0 })
})

test.run()
