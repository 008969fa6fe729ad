import { jsonOf, parseValue, textOf } from '../../src/cli/commands/value-text.js'
import { assert, suite } from '../harness.js'

const test = suite('values on the command line')
const of = (base: string) => ({ name: 'x', type: base, base }) as Parameters<typeof parseValue>[1]

test('text is taken as it stands, everything else as JSON', () => {
  assert.is(parseValue('17', of('string')), '17')
  assert.is(parseValue('"q"', of('choice')), '"q"')
  assert.is(parseValue('0.5', of('float')), 0.5)
  assert.is(parseValue('-Infinity', of('float')), Number.NEGATIVE_INFINITY)
  assert.ok(Number.isNaN(parseValue('NaN', of('float'))))
  assert.is(parseValue('-3', of('integer')), -3)
  assert.is(parseValue('123456789012345678901', of('integer')), 123456789012345678901n)
  assert.is(parseValue('true', of('boolean')), true)
  assert.equal(parseValue('[1,2]', of('embedding')), [1, 2])
  assert.equal(parseValue('{"a":null}', of('json')), { a: null })
})

test('what is neither is refused, with an example', () => {
  for (const base of ['float', 'integer', 'boolean', 'embedding', 'tensor', 'json'])
    assert.throws(() => parseValue('abc', of(base)), /'abc' is no JSON, and x is a .*: give a value such as '/)
})

test('values are shown so that they can be read, and read back', () => {
  assert.is(textOf('bare'), 'bare')
  assert.is(textOf(10n ** 20n), '100000000000000000000')
  assert.is(textOf([1, Number.NaN]), '[1,"NaN"]')
  assert.is(jsonOf('text'), '"text"')
  assert.is(jsonOf(undefined), 'null')
  assert.is(jsonOf({ big: 2n, bytes: new Uint8Array([1, 2]) }), '{"big":"2","bytes":"AQI="}')
})

test.run()
