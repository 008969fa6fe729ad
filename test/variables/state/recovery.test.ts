import './weakly-ordered.js'

import fc from 'fast-check'
import { BeamlineError } from '../../../src/errors.js'
import type { Change } from '../../../src/variables/change.js'
import { LocalState } from '../../../src/variables/local-state.js'
import { ValueTable } from '../../../src/variables/value-table.js'
import { assert, suite } from '../../harness.js'
import { same } from '../../support/same.js'
import { dyingAt } from './mortal.js'

const test = suite('the state of a context, whose writer dies', { timeout: 120_000 })

const retention = { history: 5, log: 4 }
const types = { a: 'float', b: 'string', c: 'json' } as const
type Name = keyof typeof types

interface Step {
  readonly kind: 'define' | 'set' | 'both' | 'delete'
  readonly name: Name
  readonly value: unknown
  readonly said: { readonly [key: string]: unknown } | undefined
}

const text = fc.oneof(fc.string({ maxLength: 300, size: 'max' }), fc.string({ unit: 'binary', maxLength: 40 }))
const values = { a: fc.double(), b: text, c: fc.jsonValue({ maxDepth: 2 }) }
const someSaid = fc.option(fc.dictionary(fc.constantFrom('source', 'why'), fc.string({ maxLength: 5 })), {
  nil: undefined,
})
const someStep: fc.Arbitrary<Step> = fc.constantFrom<Name>('a', 'b', 'c').chain((name) =>
  fc.record({
    kind: fc.constantFrom('define', 'set', 'set', 'set', 'both', 'delete'),
    name: fc.constant(name),
    value: values[name],
    said: someSaid,
  }),
)

/** A refused step changes nothing. */
function take(state: LocalState, { kind, name, value, said }: Step): readonly Change[] {
  const metadata = said === undefined ? {} : { metadata: said }
  try {
    if (kind === 'define') void state.define({ name, type: types[name], initial: value, ...metadata })
    else if (kind === 'delete') return state.delete(name).changes
    else if (kind === 'set') return state.set({ name, value, ...metadata }).changes
    else {
      const writes = [
        { name, value, ...metadata },
        { name: 'a', value: 1 },
      ]
      return state.setMany(name === 'a' ? writes.slice(1) : writes, true).changes
    }
  } catch (error) {
    if (!(error instanceof BeamlineError)) throw error
  }
  return []
}

/** All that can be asked of a state, without what two runs of the same steps do not share. */
function shown(state: LocalState) {
  const infos = state.list('*').map(({ id: _, createdAt: __, updatedAt: ___, ...info }) => info)
  return { revision: state.revision, infos }
}

function changesOf(state: LocalState) {
  const names = new Set(state.list('*').map(({ name }) => name))
  for (let from = 0; ; from++) {
    try {
      const changes = state.since(from, names)
      return {
        from,
        changes: changes.map(({ id: _, meta: { timestamp: __, ...meta }, ...rest }) => ({ ...rest, meta })),
      }
    } catch (error) {
      assert.is((error as BeamlineError).code, 'COMPACTED')
    }
  }
}

/** A death may have been while the log dropped its older half, which the model has not come to. */
function sameLog(recovered: LocalState, model: LocalState, what: string): void {
  const [actual, expected] = [changesOf(recovered), changesOf(model)]
  const from = Math.max(actual.from, expected.from)
  const after = ({ changes }: typeof actual) => changes.filter(({ meta }) => (meta.revision as number) > from)
  same(after(actual), after(expected), what)
}

const someDeath = fc.record({
  steps: fc.array(someStep, { minLength: 1, maxLength: 24, size: 'max' }),
  at: fc.nat(250),
  again: fc.option(fc.nat(20)),
  lost: fc.infiniteStream(fc.boolean()),
})

test('V8 wherever its writer dies, every published commit is there, whole, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(someDeath, async ({ steps, at, again, lost }) => {
      const state = LocalState.create(retention)
      const reader = ValueTable.attach(state.memory.table)
      let done = 0
      const isLost = () => lost.next().value as boolean
      await dyingAt(at, isLost, state.memory, () => {
        for (const step of steps) {
          take(state, step)
          done++
        }
      })
      const seen = new Map((['a', 'b', 'c'] as const).map((name) => [name, reader.read(name)]))
      if (again !== null) await dyingAt(again, isLost, state.memory, () => LocalState.recover(state.memory, retention))
      const recovered = await LocalState.recover(state.memory, retention)

      // The same steps, of which nobody died: up to the one in progress, or with it if it was published.
      const model = LocalState.create(retention)
      for (const step of steps.slice(0, done)) take(model, step)
      if (recovered.revision !== model.revision) take(model, steps[done] as Step)
      same(shown(recovered), shown(model), 'recovered')
      sameLog(recovered, model, 'log')
      for (const { name, value, version } of recovered.list('*')) {
        same(reader.read(name), { value, version }, 'read')
        const history = recovered.history(name, 100)
        const all = model.history(name, 100)
        const stripped = (entries: typeof all) => entries.map(({ timestamp: _, ...entry }) => entry)
        same(stripped(history), stripped(all.slice(all.length - history.length)), 'history')
        const before = seen.get(name as Name)
        const isSame = recovered.list(name)[0]?.id === state.list(name)[0]?.id
        if (before !== undefined && isSame) assert.ok(before.version <= version, 'a value went back')
      }

      for (const step of steps) {
        const changes = take(recovered, step)
        take(model, step)
        for (const change of changes) assert.is(change.meta.revision, recovered.revision)
        same(shown(recovered), shown(model), 'after it')
        for (const { name, value, version } of recovered.list('*')) same(reader.read(name), { value, version }, name)
      }
      sameLog(recovered, model, 'log after it')
    }),
    { numRuns: 400 },
  )
})

test('a variable keeps its number, and no other ever gets it', async () => {
  const state = LocalState.create(retention)
  for (const name of ['x', 'y', 'z']) void state.define({ name, type: 'integer', initial: 0 })
  state.delete('y')
  for (let i = 0; i < 20; i++) state.set({ name: 'x', value: i })
  const recovered = await LocalState.recover(state.memory, retention)
  void recovered.define({ name: 'y', type: 'integer', initial: 0 })
  const names = [0, 1, 2, 3].map((number) => recovered.numbered(number)?.name)
  assert.equal(names, ['x', undefined, 'z', 'y'])
  assert.is(recovered.describe('x').id, state.describe('x').id)
})

test('a value of which nothing was said for long is still known with its commit and its writer', async () => {
  const state = LocalState.create(retention)
  const constraints = { min: 0, max: 9 }
  const metadata = { why: 'a start' }
  void state.define({ name: 'x', type: 'integer', initial: 1, constraints, description: 'a number', metadata })
  void state.define({ name: 'y', type: 'integer', initial: 0 })
  state.set({ name: 'x', value: 2, metadata: { source: 'me', list: [1, new Date(0)] } })
  const before = [state.describe('x'), state.initial('x')]
  for (let i = 0; i < 50; i++) state.set({ name: 'y', value: i })
  const recovered = await LocalState.recover(state.memory, retention)
  assert.equal([recovered.describe('x'), recovered.initial('x')], before)
  assert.is(recovered.history('x', 9).length, 1)
  assert.throwsCode(() => recovered.rollback('x', 0), 'COMPACTED', /versions 1 to 1 are kept/)
  assert.throwsCode(() => recovered.set({ name: 'x', value: 10 }), 'CONSTRAINT')
})

test('a number costs no memory of the writer when nothing is said of it', () => {
  const state = LocalState.create({ history: 100, log: 100 })
  void state.define({ name: 'x', type: 'float', initial: 0.5 })
  const x = state.numbered(0)
  assert.ok(x !== undefined)
  for (let i = 0; i < 1000; i++) state.write(x, i / 3, 1)
  assert.equal([x.version, x.revision, x.previous, x.value], [1000, 1001, 998 / 3, 999 / 3])
  assert.is(state.history('x', 1000).length, 100)
})

test('what does not fit is refused and changes nothing', async () => {
  const state = LocalState.create(retention)
  void state.define({ name: 'x', type: 'string', initial: 'small' })
  void state.define({ name: 'y', type: 'string', initial: 'small' })
  const before = shown(state)
  const large = 'x'.repeat(40 * 1024 * 1024)
  assert.throwsCode(() => state.set({ name: 'x', value: large }), 'OVERFLOW', /value of x/)
  const both = [
    { name: 'x', value: 'fits' },
    { name: 'y', value: large },
  ]
  assert.throwsCode(() => state.setMany(both, true), 'OVERFLOW', /value of y/)
  assert.throwsCode(() => void state.define({ name: 'z', type: 'string', initial: large }), 'OVERFLOW', /value of z/)
  assert.throwsCode(() => state.set({ name: 'x', value: '', metadata: { no: () => 1 } }), 'NOT_CLONEABLE')
  same(shown(state), before, 'the same')
  same(shown(await LocalState.recover(state.memory, retention)), before, 'recovered')
})

test.run()
