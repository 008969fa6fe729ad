import fc from 'fast-check'
import type { ExitReason } from '../../src/actors/exit-reason.js'
import { isRestarted, planRestart, type Restart, type Strategy } from '../../src/supervisor/strategy.js'
import { assert, suite } from '../harness.js'

const test = suite('restart strategies')

const plans: [strategy: Strategy, children: string, crashed: string, stop: string, start: string, drop: string][] = [
  ['one_for_one', 'abc', 'b', '', 'b', ''],
  ['one_for_all', 'abc', 'b', 'ca', 'abc', ''],
  ['one_for_all', 'abT', 'a', 'Tb', 'ab', 'T'],
  ['one_for_all', 'a', 'a', '', 'a', ''],
  ['rest_for_one', 'abcd', 'b', 'dc', 'bcd', ''],
  ['rest_for_one', 'abcd', 'a', 'dcb', 'abcd', ''],
  ['rest_for_one', 'abcd', 'd', '', 'd', ''],
  ['rest_for_one', 'TabU', 'a', 'Ub', 'ab', 'U'],
]

/** A capital letter is a temporary child. */
const childrenOf = (ids: string) =>
  [...ids].map((id) => ({ id, restart: (id < 'a' ? 'temporary' : 'permanent') as Restart }))
const text = (children: readonly { id: string }[]) => children.map(({ id }) => id).join('')

for (const [strategy, ids, crashed, ...expected] of plans) {
  test(`${strategy}: ${crashed} of ${ids} crashes`, () => {
    const children = childrenOf(ids)
    const child = children.find(({ id }) => id === crashed) as (typeof children)[number]
    const { stop, start, drop } = planRestart(strategy, children, child)
    assert.equal([text(stop), text(start), text(drop)], expected)
  })
}

test('whatever the children: what is stopped is started or dropped, the crashed one is only started, order is kept', () => {
  const child = fc.record({ restart: fc.constantFrom<Restart>('permanent', 'transient', 'temporary') })
  const strategy = fc.constantFrom<Strategy>('one_for_one', 'one_for_all', 'rest_for_one')
  fc.assert(
    fc.property(fc.array(child, { minLength: 1 }), fc.nat(), strategy, (children, at, which) => {
      const crashed = children[at % children.length] as (typeof children)[number]
      const { stop, start, drop } = planRestart(which, children, crashed)
      const places = (list: typeof start) => list.map((one) => children.indexOf(one))
      const sorted = (list: number[]) => [...list].sort((one, other) => one - other)
      assert.equal(places(start), sorted(places(start)))
      assert.equal(places(stop), sorted(places(stop)).reverse())
      assert.equal(sorted([...places(stop), children.indexOf(crashed)]), sorted([...places(start), ...places(drop)]))
    }),
  )
})

const reasons: [reason: ExitReason, transient: boolean][] = [
  ['normal', false],
  ['shutdown', false],
  [{ shutdown: 1 }, false],
  [{ shutdown: undefined }, false],
  ['killed', true],
  ['noconnection', true],
  ['boom', true],
  [{ error: { name: 'Error', message: '', stack: '' } }, true],
  [undefined, true],
  [null, true],
]

for (const [reason, transient] of reasons) {
  test(`an end for ${JSON.stringify(reason)} restarts what is permanent${transient ? ' or transient' : ''}`, () => {
    const restarted = (['permanent', 'transient', 'temporary'] as const).map((kind) => isRestarted(kind, reason))
    assert.equal(restarted, [true, transient, false])
  })
}

test.run()
