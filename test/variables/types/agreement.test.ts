import fc from 'fast-check'
import { BeamlineError } from '../../../src/errors.js'
import { compileValidator, type TypeName } from '../../../src/variables/types/index.js'
import { assert, suite } from '../../harness.js'
import { same, validatorOf } from './expectations.js'

const test = suite('agreement of the parsers and the schemas', { timeout: 60_000 })

const numeric = fc.oneof(
  fc.integer({ min: -20, max: 20 }),
  fc.integer({ min: -40, max: 40 }).map((quarters) => quarters / 4),
  fc.double(),
  fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 2 ** 53, 2 ** 53 - 1, 1e20, -1e300),
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt(),
  fc.constantFrom(10n ** 400n, 2n ** 53n),
)
const word = fc.oneof(
  fc.string({ maxLength: 5 }),
  fc.string({ unit: 'binary', maxLength: 5 }),
  fc.constantFrom(
    'a',
    'b',
    'N.a',
    'N.b',
    'N.',
    'N.N.a',
    'true',
    'false',
    'NaN',
    'Infinity',
    '-Infinity',
    '42',
    '__proto__',
  ),
)
const value = fc.oneof({ arbitrary: numeric, weight: 4 }, { arbitrary: word, weight: 4 }, fc.boolean(), fc.anything())

const bound = fc.oneof(fc.integer({ min: -10, max: 10 }), fc.double(), fc.bigInt({ min: -10n, max: 10n }))
const step = fc.constantFrom(1, 2, 5, 0.25, 0.1, 3n)
const names = fc.array(fc.constantFrom('a', 'b', 'N.a', 'N.b', 'N.N.a'), { minLength: 1 })
const pattern = fc.constantFrom('a', '^.$', /B/i, /a/g)

const constraintsOf = {
  float: fc.record({ min: bound, max: bound, step, finite: fc.boolean() }, { requiredKeys: [] }),
  integer: fc.record({ min: bound, max: bound, step }, { requiredKeys: [] }),
  string: fc.record(
    { min_length: fc.nat(3), maxLength: fc.nat(5), pattern, enum: fc.array(word, { minLength: 1 }) },
    { requiredKeys: [] },
  ),
  boolean: fc.constant({}),
  choice: fc.record({ choices: fc.array(word, { minLength: 1 }) }, { requiredKeys: [] }),
  module: fc.record(
    { namespace: fc.constant('N'), choices: names, allowed_modules: names, pattern },
    { requiredKeys: [] },
  ),
} satisfies Partial<Record<TypeName, fc.Arbitrary<object>>>

/** The definition's validator, or nothing where the constraints are impossible. */
function compiled(type: TypeName, constraints: object) {
  try {
    return validatorOf(type, constraints)
  } catch (error) {
    if (error instanceof BeamlineError && error.message.startsWith('Invalid constraints for x ')) return undefined
    throw error
  }
}

for (const [type, constraints] of Object.entries(constraintsOf) as [TypeName, fc.Arbitrary<object>][]) {
  test(`${type}: the same values, the same results, the same words`, () => {
    const holds = fc.property(constraints, fc.array(value, { minLength: 10, maxLength: 30 }), (given, values) => {
      const validator = compiled(type, given)
      fc.pre(validator !== undefined)
      for (const one of values) {
        const answer = validator.schema.safeParse(one)
        try {
          same(answer.data, validator.parse('x', one))
          assert.ok(answer.success)
        } catch (error) {
          if (!(error instanceof BeamlineError)) throw error
          assert.is(answer.error?.issues[0]?.message, error.details['reason'])
        }
      }
    })
    fc.assert(holds, { numRuns: 200 })
  })

  test(`${type}: what was read reads as itself`, () => {
    const holds = fc.property(constraints, value, (given, one) => {
      const validator = compiled(type, given)
      fc.pre(validator !== undefined)
      const answer = validator.schema.safeParse(one)
      if (answer.success) same(validator.parse('x', answer.data), answer.data)
    })
    fc.assert(holds, { numRuns: 200 })
  })
}

test('choice constraints are enforced', () => {
  const alphanumeric = fc.string({ unit: fc.constantFrom(...'abcXYZ0189') })
  const cases = fc.tuple(fc.array(alphanumeric, { minLength: 2, maxLength: 5 }), fc.nat(), alphanumeric)
  const holds = fc.property(cases, ([choices, index, other]) => {
    fc.pre(!choices.includes(other))
    const validator = compileValidator('x', 'choice', { choices })
    const valid = choices[index % choices.length]
    assert.is(validator.parse('x', valid), valid)
    assert.throws(() => validator.parse('x', other), /must be one of: /)
  })
  fc.assert(holds)
})

test.run()
