import { suite } from '../../harness.js'
import { forbids, reads, refuses, validatorOf } from './expectations.js'

const test = suite('module')

test('module type for dynamic behavior', () => {
  const validator = validatorOf('module', {
    namespace: 'Strategies',
    choices: ['Default', 'Optimized', 'Experimental'],
  })
  const words = 'must be one of: Strategies.Default, Strategies.Optimized, Strategies.Experimental'
  reads(validator, 'Strategies.Optimized')
  for (const value of ['Other.Module', 'Strategies.Custom', 'Custom', 'Strategies.', 'Strategies', 'Other.Default']) {
    refuses(validator, value, 'CONSTRAINT', words)
  }
  const processor = validatorOf('module', { pattern: '.*Processor$' })
  for (const value of ['DefaultProcessor', 'CustomProcessor', 'My.Deep.Nested.Processor']) reads(processor, value)
  refuses(processor, 'InvalidModule', 'CONSTRAINT', 'must match pattern: .*Processor$')
})

test('a choice may be written without the namespace, and is read with it', () => {
  for (const choices of [
    ['Default', 'Optimized'],
    ['Strategies.Default', 'Strategies.Optimized'],
    ['Default', 'Strategies.Default', 'Optimized'],
  ]) {
    const validator = validatorOf('module', { namespace: 'Strategies', choices })
    reads(validator, 'Optimized', 'Strategies.Optimized')
    reads(validator, 'Strategies.Default')
    refuses(validator, 'Custom', 'CONSTRAINT', 'must be one of: Strategies.Default, Strategies.Optimized')
  }
})

test('a whole name comes before the short form of another', () => {
  const validator = validatorOf('module', { namespace: 'A', choices: ['A.X', 'A.A.X'] })
  reads(validator, 'A.X')
  reads(validator, 'X', 'A.X')
  reads(validator, 'A.A.X')
})

test('choices without a namespace are whole names', () => {
  const validator = validatorOf('module', { choices: ['Fast', 'My.Slow'] })
  for (const value of ['Fast', 'My.Slow']) reads(validator, value)
  refuses(validator, 'Slow', 'CONSTRAINT', 'must be one of: Fast, My.Slow')
})

test('allowed modules have their own words, under both spellings of the key', () => {
  for (const key of ['allowed_modules', 'allowedModules']) {
    const validator = validatorOf('module', { [key]: ['ChainOfThought', 'ReAct'] })
    reads(validator, 'ReAct')
    refuses(validator, 'Predict', 'CONSTRAINT', 'must be one of the allowed modules: ChainOfThought, ReAct')
  }
})

test('allowed modules have the namespace too, and hold beside choices', () => {
  const validator = validatorOf('module', { namespace: 'S', choices: ['A', 'B'], allowed_modules: ['B', 'C'] })
  reads(validator, 'B', 'S.B')
  refuses(validator, 'A', 'CONSTRAINT', 'must be one of the allowed modules: S.B, S.C')
  refuses(validator, 'C', 'CONSTRAINT', 'must be one of: S.A, S.B')
})

test('what is one of the choices is whole, and not the short form of an allowed module', () => {
  const validator = validatorOf('module', { namespace: 'N', choices: ['a', 'b'], allowed_modules: ['b', 'N.N.a'] })
  refuses(validator, 'a', 'CONSTRAINT', 'must be one of the allowed modules: N.b, N.N.a')
  reads(validator, 'b', 'N.b')
})

test('a namespace without choices wants the whole name', () => {
  const validator = validatorOf('module', { namespace: 'My.Strategies' })
  reads(validator, 'My.Strategies.Any')
  for (const value of ['Any', 'My.Strategies.', 'My.Strategies', 'My.StrategiesX.Any', 'Other.My.Strategies.Any']) {
    refuses(validator, value, 'CONSTRAINT', 'must be a module of the namespace My.Strategies: My.Strategies.…')
  }
})

test('a pattern is searched in the whole name, after the other constraints', () => {
  const validator = validatorOf('module', { namespace: 'S', choices: ['Fast', 'Slow'], pattern: /^S\.F/ })
  reads(validator, 'Fast', 'S.Fast')
  refuses(validator, 'Slow', 'CONSTRAINT', 'must match pattern: ^S\\.F')
  refuses(validator, 'Other', 'CONSTRAINT', 'must be one of: S.Fast, S.Slow')
})

test('a module name is a string with at least one character', () => {
  reads(validatorOf('module'), 'ChainOfThought')
  for (const value of ['', null, undefined, 5, {}, Map]) {
    refuses(validatorOf('module'), value, 'INVALID_TYPE', 'must be a module name')
  }
})

test('impossible constraints are refused', () => {
  forbids('module', { namespace: 5 }, 'namespace must be a string with at least one character, not 5')
  forbids('module', { namespace: '' }, 'namespace must be a string with at least one character, not a string')
  forbids(
    'module',
    { namespace: 'Strategies', choices: ['Other.X'] },
    "choices has 'Other.X', which must begin with the namespace Strategies.",
  )
  forbids('module', { namespace: 'S', allowedModules: ['O.X'] }, "allowed_modules has 'O.X'")
  forbids('module', { choices: [] }, 'choices must not be empty')
  forbids('module', { choices: [''] }, 'choices must be names, not empty strings')
  forbids('module', { allowed_modules: [] }, 'allowed_modules must not be empty')
  forbids(
    'module',
    { allowed_modules: ['A'], allowedModules: ['B'] },
    'allowed_modules and allowedModules mean the same',
  )
  forbids('module', { choices: ['A'], allowed_modules: ['B'] }, 'one of choices must pass the other constraints')
  forbids('module', { choices: ['A'], pattern: 'B' }, 'one of choices must pass the other constraints')
  forbids('module', { pattern: '[' }, 'pattern must be a regular expression')
})

test.run()
