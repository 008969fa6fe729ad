import fc from 'fast-check'
import {
  baseOfType,
  decodeAny,
  decodeParameter,
  encodeAny,
  encodeResult,
  typeOfUrl,
} from '../../src/bridge/wire/any-codec.js'
import { compileValidator } from '../../src/variables/types/index.js'
import { type TypeName, typeNames } from '../../src/variables/types/value-types.js'
import { assert, suite } from '../harness.js'
import { rawNumbers } from '../support/raw.js'
import { same } from '../support/same.js'

const test = suite('bridge: values in an Any')

const url = (type: string) => `type.googleapis.com/snakepit.${type}`
const any = (type: string, text: string) => ({ typeUrl: url(type), value: Buffer.from(text) })
/** A value as a variable of the type comes to hold it. */
const read = (type: string, text: string, base = type as TypeName): unknown =>
  compileValidator('x', base).parse('x', decodeAny(any(type, text), undefined, base))
const refuses = (work: () => unknown, reason: string) =>
  assert.is(assert.throwsCode(work, 'INVALID_TYPE').details['reason'], reason)

test('the type is what follows snakepit., else the last part of the URL', () => {
  assert.equal(typeOfUrl(url('float')), { type: 'float', isBinary: false })
  assert.equal(typeOfUrl('dspex.variables/float'), { type: 'float', isBinary: false })
  assert.equal(typeOfUrl('a/b/tensor.binary'), { type: 'tensor', isBinary: true })
  assert.equal(typeOfUrl(url('embedding.binary')), { type: 'embedding', isBinary: true })
  const old = { typeUrl: 'dspex.variables/float', value: Buffer.from('3.14') }
  assert.is(decodeAny(old, undefined, 'float'), 3.14)
})

for (const [type, text, value] of [
  ['float', '3.14', 3.14],
  ['float', '42', 42],
  ['float', '1e-07', 1e-7],
  ['float', '-0.0', -0],
  ['float', ' 1e0 ', 1],
  ['float', '"NaN"', NaN],
  ['float', '"Infinity"', Infinity],
  ['float', '1.7976931348623157e+308', Number.MAX_VALUE],
  ['integer', '42', 42],
  ['integer', '42.0', 42],
  ['integer', '1e3', 1000],
  ['integer', '9007199254740993', 9007199254740993n],
  ['integer', '-123456789012345678901234567890', -123456789012345678901234567890n],
  ['string', '"Hello, \\u4e16\\ud83c\\udf88"', 'Hello, 世🎈'],
  ['boolean', 'true', true],
  ['boolean', '"false"', false],
  ['boolean', '1', true],
  ['boolean', ' 0', false],
  ['choice', '"a"', 'a'],
  ['module', '"ChainOfThought"', 'ChainOfThought'],
  ['embedding', '[]', []],
  ['embedding', '[1, 2.5, NaN, -Infinity, "Infinity"]', [1, 2.5, NaN, -Infinity, Infinity]],
  [
    'tensor',
    '{"shape": [2, 2], "data": [[1, 2], [3, NaN]], "unit": "NaN"}',
    {
      shape: [2, 2],
      data: [
        [1, 2],
        [3, NaN],
      ],
      unit: 'NaN',
    },
  ],
  ['tensor', '{"data": [7], "shape": []}', { shape: [], data: [7] }],
] as const)
  test(`${type} ${text} is read`, () => same(read(type, text), value))

test('a value is read by its URL, and then by the type of the variable', () => {
  assert.is(read('integer', '42', 'float'), 42)
  assert.is(read('float', '42.0', 'integer'), 42)
  assert.is(read('float', '9007199254740993', 'integer'), 9007199254740993n)
  assert.is(read('string', '"true"', 'boolean'), true)
  same(read('string', '"NaN"', 'float'), NaN)
  same(read('map', '{"a": [1]}', 'json'), { a: [1] })
  assert.is(read('map', '"{\'a\': 1}"', 'json'), "{'a': 1}")
})

for (const [type, text, reason, base] of [
  ['float', '"inf"', 'must be a number'],
  ['float', 'true', 'must be a number'],
  ['float', 'null', 'must be a number'],
  ['integer', '1.5', 'must be a whole number, got 1.5'],
  ['integer', '"42"', 'must be an integer'],
  ['integer', 'null', 'must be an integer'],
  ['string', '5', 'must be a string'],
  ['string', 'null', 'cannot be nil'],
  ['boolean', '"yes"', 'must be a boolean (true or false)'],
  ['boolean', '1.0', 'must be a boolean (true or false)'],
  ['float', '1.0', 'must be a boolean (true or false)', 'boolean'],
  ['boolean', '2', 'must be a boolean (true or false)'],
  ['boolean', 'null', 'must be a boolean (true or false)'],
  ['choice', 'null', 'must be a string'],
  ['module', 'null', 'must be a module name'],
  ['embedding', '["a"]', 'must be a list of numbers'],
  ['embedding', '5', 'must be a numeric list'],
  ['tensor', '{"shape": [2, 2], "data": [1, 2, 3]}', "data size doesn't match shape"],
  ['tensor', '[1]', 'must be a tensor with shape and data'],
  ['integer', '5', 'must be a string', 'string'],
  ['string', '"x"', 'must be an integer', 'integer'],
  ['uuid', '5', 'unknown_type', 'integer'],
  ['float.binary', '{}', 'unknown_type', 'float'],
  ['float', '{', 'the value is no JSON'],
  ['float', 'NaN', 'the value is no JSON'],
  ['float', '', 'the value is no JSON'],
] as const)
  test(`${type} ${text} is refused for ${base ?? type}`, () => refuses(() => read(type, text, base ?? type), reason))

test('no value, bytes that are no text, and endless nesting are refused', () => {
  refuses(() => decodeAny(undefined, undefined, 'float'), 'the value is missing')
  refuses(() => decodeAny({ typeUrl: '', value: Buffer.alloc(0) }, undefined, 'float'), 'the value is missing')
  refuses(() => decodeAny({ typeUrl: '', value: Buffer.from('1') }, undefined, 'float'), 'unknown_type')
  refuses(
    () => decodeAny({ typeUrl: url('string'), value: Buffer.from([0x22, 0xff, 0x22]) }, undefined, 'string'),
    'the value is no JSON: it is not UTF-8',
  )
  assert.throwsCode(() => read('embedding', '['.repeat(200_000) + ']'.repeat(200_000)), 'INVALID_TYPE')
  assert.throwsCode(
    () => read('tensor', `{"shape":[1],"data":${'['.repeat(200_000)}NaN${']'.repeat(200_000)}}`),
    'INVALID_TYPE',
  )
})

test('types that clients name are ours, map and list among them', () => {
  for (const type of typeNames) assert.is(baseOfType(type), type)
  assert.equal([baseOfType('map'), baseOfType('list')], ['json', 'json'])
  for (const type of ['uuid', '', 'Float', 'constructor']) refuses(() => baseOfType(type), `Unknown type: ${type}`)
})

for (const [base, value, type, text] of [
  ['float', 3.14, 'float', '3.14'],
  ['float', 42, 'float', '42.0'],
  ['float', -0, 'float', '-0.0'],
  ['float', NaN, 'float', '"NaN"'],
  ['float', -Infinity, 'float', '"-Infinity"'],
  ['float', 1e300, 'float', '1e+300'],
  ['integer', -100, 'integer', '-100'],
  ['integer', 2n ** 70n, 'integer', '1180591620717411303424'],
  ['boolean', true, 'boolean', 'true'],
  ['string', '世"', 'string', '"世\\""'],
  ['choice', 'a', 'choice', '"a"'],
  ['module', 'M', 'module', '"M"'],
  ['embedding', [1, NaN, 0.5], 'embedding', '[1.0,"NaN",0.5]'],
  ['tensor', { shape: [1, 2], data: [[1, 2.5]], unit: 'm' }, 'tensor', '{"shape":[1,2],"data":[[1.0,2.5]],"unit":"m"}'],
  ['json', { a: 1 }, 'map', '{"a":1}'],
  ['json', [1], 'list', '[1]'],
  ['json', 'text', 'string', '"text"'],
  ['json', 5.5, 'string', '"5.5"'],
  ['json', null, 'string', '"null"'],
  ['json', true, 'string', '"true"'],
] as const)
  test(`${base} is written as ${type} ${text}`, () => {
    const { type: shown, value: written, bytes } = encodeAny(value, base)
    assert.equal([shown, written.typeUrl, written.value.toString(), bytes.length], [type, url(type), text, 0])
  })

const values: Readonly<Partial<Record<TypeName, fc.Arbitrary<unknown>>>> = {
  float: fc.double(),
  integer: fc.bigInt(),
  string: fc.string({ unit: 'grapheme', maxLength: 1000 }),
  boolean: fc.boolean(),
  embedding: fc.array(fc.double()),
  json: fc
    .dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true })
    .filter((map) => !JSON.stringify(map).includes('__proto__')),
}
for (const [name, arbitrary] of Object.entries(values))
  test(`every ${name} comes back as it was`, () => {
    const base = name as TypeName
    const { parse } = compileValidator('x', base)
    fc.assert(
      fc.property(arbitrary, (given) => {
        const value = parse('x', given)
        same(parse('x', decodeAny(encodeAny(value, base).value, undefined, base)), value)
      }),
    )
  })

test('whatever bytes come, they are a value or refused', () => {
  const urls = fc.oneof(
    fc.constantFrom(...typeNames, 'map', 'list', 'tensor.binary', 'embedding.binary').map(url),
    fc.string(),
  )
  const texts = fc.oneof(fc.json(), fc.string()).map((text) => Buffer.from(text))
  const bytes = fc.uint8Array().map((list) => Buffer.from(list))
  fc.assert(
    fc.property(urls, fc.oneof(texts, bytes), bytes, fc.constantFrom(...typeNames), (typeUrl, value, beside, base) => {
      try {
        decodeAny({ typeUrl, value }, beside, base)
      } catch (error) {
        assert.is((error as { code?: string }).code, 'INVALID_TYPE')
      }
    }),
  )
})

test('bytes in a form of their own are kept and handed back as they were, header and all', () => {
  const header = '{"shape": [3],  "dtype": "float32", "binary_format": "pickle", "type": "embedding"}'
  const bytes = Buffer.from([0x80, 4, 255, 0])
  const value = compileValidator('x', 'embedding', { dimensions: 2 }).parse(
    'x',
    decodeAny(any('embedding.binary', header), bytes, 'embedding'),
  )
  const back = encodeAny(value, 'embedding')
  assert.equal(
    [back.type, back.value.typeUrl, back.value.value.toString()],
    ['embedding', url('embedding.binary'), header],
  )
  assert.ok(back.bytes.equals(bytes))
})

test('raw bytes are numbers, row-major and little-endian', () => {
  const raw = (more: object) => JSON.stringify({ binary_format: 'raw', ...more })
  const embedding = (bytes: Buffer, more: object) => decodeAny(any('embedding.binary', raw(more)), bytes, 'embedding')
  for (const [dtype, bytes, numbers] of rawNumbers) same(embedding(bytes, { dtype }), numbers, dtype)
  const doubles = Buffer.alloc(48)
  for (let at = 0; at < 6; at++) doubles.writeDoubleLE(at, 8 * at)
  same(decodeAny(any('tensor.binary', raw({ shape: [2, 3] })), doubles, 'tensor'), {
    shape: [2, 3],
    data: [0, 1, 2, 3, 4, 5],
  })
  refuses(
    () => decodeAny(any('tensor.binary', raw({ shape: [7] })), doubles, 'tensor'),
    "data size doesn't match shape",
  )
  refuses(() => decodeAny(any('tensor.binary', raw({})), doubles, 'tensor'), 'must be a tensor with shape and data')
  refuses(() => embedding(Buffer.alloc(7), {}), "data size doesn't match shape")
  assert.throws(() => embedding(doubles, { dtype: 'complex64' }), /dtype of raw bytes must be one of/)
})

test('bytes that are missing, of another type or badly described are refused', () => {
  refuses(() => decodeAny(any('tensor.binary', '{}'), undefined, 'tensor'), 'the bytes of the tensor are missing')
  refuses(() => decodeAny(any('tensor.binary', '{}'), Buffer.alloc(0), 'tensor'), 'the bytes of the tensor are missing')
  assert.throwsCode(() => decodeAny(any('tensor.binary', '{}'), Buffer.alloc(1), 'embedding'), 'INVALID_TYPE')
  assert.throwsCode(() => decodeAny(any('embedding.binary', '{}'), Buffer.alloc(1), 'tensor'), 'INVALID_TYPE')
  assert.throwsCode(() => decodeAny(any('tensor.binary', '[]'), Buffer.alloc(1), 'tensor'), 'INVALID_TYPE')
  assert.throwsCode(() => decodeAny(any('tensor.binary', 'x'), Buffer.alloc(1), 'tensor'), 'INVALID_TYPE')
})

test('parameters of tools are typed values, bare JSON or texts', () => {
  const bare = (text: string) =>
    decodeParameter({ typeUrl: 'type.googleapis.com/google.protobuf.StringValue', value: Buffer.from(text) })
  same(bare('{"a": [1, 9007199254740993]}'), { a: [1, 9007199254740993n] })
  assert.equal([bare('5'), bare('"x"'), bare('not json'), bare('')], [5, 'x', 'not json', ''])
  assert.is(decodeParameter(any('integer', '42.0')), 42)
  same(decodeParameter(any('map', '{"a":1}')), { a: 1 })
  assert.throwsCode(() => decodeParameter(any('integer', '"x"')), 'INVALID_TYPE')
})

test('results of tools are bare JSON', () => {
  assert.equal(encodeResult({ a: [1, NaN] }), {
    typeUrl: 'type.googleapis.com/google.protobuf.StringValue',
    value: Buffer.from('{"a":[1,"NaN"]}'),
  })
  assert.is(encodeResult(undefined).value.toString(), 'null')
  assert.throwsCode(() => encodeResult(() => 1), 'INVALID_TYPE')
})

test('a string that does not end is refused at once, whatever is in it', () => {
  for (const part of ['a', '\\"', '\\', '"\\"'])
    assert.throwsCode(() => read('embedding', `[NaN,"${part.repeat(100_000)}`), 'INVALID_TYPE')
  assert.throwsCode(() => read('json', `[1234567890123456789,"${'a'.repeat(100_000)}`), 'INVALID_TYPE')
})

test.run()
