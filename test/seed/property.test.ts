import fc from 'fast-check'
import { Context } from '../../src/index.js'
import { assert, suite } from '../harness.js'
import { Recorder } from '../support/recorder.js'
import { systemFor } from '../support/system.js'

const test = suite('seed: properties', { timeout: 60_000 })
const system = systemFor(test, { threads: 1 })

const integer = fc.oneof(fc.integer(), fc.maxSafeInteger())
const name = fc
  .string({ minLength: 1, maxLength: 60, unit: 'grapheme' })
  .filter((text) => Buffer.byteLength(text) < 256)

test('watchers always receive updates in order', () =>
  fc.assert(
    fc.asyncProperty(name, fc.array(integer, { minLength: 2, maxLength: 20 }), async (name, values) => {
      await using ctx = await Context.start(system())
      const variable = await ctx.define(name, 'integer', 0)
      const seen = new Recorder()
      await using _ = await variable.watch(seen.callback)
      await Promise.all(values.map((value) => variable.set(value)))
      assert.equal(
        seen.steps,
        values.map((value, index) => [values[index - 1] ?? 0, value]),
      )
      assert.ok(seen.names.every((seenName) => seenName === name))
      assert.is(variable.peek(), values.at(-1))
    }),
    { numRuns: 50 },
  ))

test('filtered updates respect filter function', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 10 }),
      async (threshold, values) => {
        await using ctx = await Context.start(system())
        const variable = await ctx.define('filtered', 'integer', 0)
        const seen = new Recorder()
        const filter = (_previous: unknown, value: number) => value > threshold
        await using _ = await variable.watch(seen.callback, { filter, includeInitial: false })
        await Promise.all(values.map((value) => variable.set(value)))
        assert.equal(
          seen.values,
          values.filter((value) => value > threshold),
        )
      },
    ),
    { numRuns: 50 },
  ))

const choices = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 5 })
const choice = choices.chain((all) =>
  fc.record({
    all: fc.constant(all),
    valid: fc.constantFrom(...all),
    invalid: fc.string().filter((text) => !all.includes(text)),
  }),
)

test('choice constraints are enforced', () =>
  fc.assert(
    fc.asyncProperty(choice, async ({ all, valid, invalid }) => {
      await using ctx = await Context.start(system())
      await ctx.define('choice_prop', 'choice', all[0] as string, { constraints: { choices: all } })
      await ctx.set('choice_prop', valid)
      assert.is(await ctx.get('choice_prop'), valid)
      await assert.rejects(ctx.set('choice_prop', invalid), 'CONSTRAINT', /must be one of/)
      assert.is(await ctx.get('choice_prop'), valid)
      assert.is((await ctx.describe('choice_prop')).version, 1)
    }),
    { numRuns: 50 },
  ))

test.run()
