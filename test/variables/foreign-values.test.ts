import { sameValue } from '../../src/variables/types/same-value.js'
import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder } from '../support/recorder.js'
import { same } from '../support/same.js'
import { refuses, validatorOf } from './types/expectations.js'

const test = suite('foreign values')
const withContext = contextsFor(test)

const make = (byte = 1) => ({
  header: { shape: [3], dtype: 'float32', binary_format: 'pickle' },
  bytes: new Uint8Array([0x80, byte, 255]),
})

test('embeddings and tensors take them whatever their constraints, as a copy', () => {
  for (const validator of [
    validatorOf('embedding', { dimensions: 4, finite: true }),
    validatorOf('tensor', { shape: [2, 2] }),
  ]) {
    for (const written of [make(), { ...make(), spelled: '{"shape":  [3]}' }]) {
      const stored = validator.parse('x', written)
      same(stored, written)
      written.bytes[1] = 9
      written.header.shape[0] = 9
      same(stored, { ...written, ...make() })
    }
  }
})

test('what is only like one is refused, as is one of another type', () => {
  const { header, bytes } = make()
  for (const value of [
    { header },
    { header, bytes: [1] },
    { header: [], bytes },
    { header, bytes, spelled: 1 },
    { header, bytes, more: 1 },
  ])
    refuses(validatorOf('embedding'), value, 'INVALID_TYPE', 'must be a numeric list')
  refuses(validatorOf('tensor'), { header }, 'INVALID_TYPE', 'must be a tensor with shape and data')
  refuses(validatorOf('string'), make(), 'INVALID_TYPE', 'must be a string')
  const odd = { header: { at: new Date() }, bytes }
  refuses(
    validatorOf('embedding'),
    odd,
    'INVALID_TYPE',
    'the header of a foreign value must be a JSON value, got an instance of Date at at',
  )
})

test('two are the same when header and bytes are', () => {
  assert.ok(sameValue(make(), make()))
  assert.not.ok(sameValue(make(), make(2)))
  assert.not.ok(sameValue(make(), { ...make(), header: {} }))
})

test(
  'they are written, read, watched and rolled back like any value',
  withContext(async (ctx) => {
    await ctx.define('e', 'embedding', [1], { constraints: { dimensions: 1 } })
    const seen = new Recorder()
    await using _ = await ctx.watchOne('e', seen.callback, { distinct: true })
    await ctx.set('e', make())
    await ctx.set('e', make())
    await ctx.set('e', make(2))
    await ctx.updateMany({ e: [5] })
    await ctx.rollback('e', 1)
    same(seen.steps, [
      [[1], make()],
      [make(), make(2)],
      [make(2), [5]],
      [[5], make()],
    ])
    for (const value of [ctx.peek('e'), await ctx.get('e'), (await ctx.describe('e')).value]) same(value, make())
    same(
      (await ctx.history('e', { limit: 3 })).map(({ value }) => value),
      [make(2), [5], make()],
    )
  }),
)

test.run()
