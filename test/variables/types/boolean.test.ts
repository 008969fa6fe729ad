import { suite } from '../../harness.js'
import { reads, refuses, validatorOf } from './expectations.js'

const test = suite('boolean')

test('true, false, "true", "false", 1 and 0 are booleans', () => {
  const validator = validatorOf('boolean')
  for (const value of [true, 'true', 1]) reads(validator, value, true)
  for (const value of [false, 'false', 0]) reads(validator, value, false)
})

test('"yes", null and 123 are not', () => {
  for (const value of ['yes', 'True', '1', '', 2, -1, 123, 1n, NaN, null, undefined, [], {}]) {
    refuses(validatorOf('boolean'), value, 'INVALID_TYPE', 'must be a boolean (true or false)')
  }
})

test.run()
