import fc from 'fast-check'
import { ClientItem, Event, Op, ServerItem } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { encodeCommand, encodeEvent, encodeReply } from '../../src/bridge/wire/brief.js'
import { toEvent, toValue } from '../../src/bridge/wire/native-codec.js'
import { assert, suite } from '../harness.js'

const test = suite('brief encodings')

const whole = fc.oneof(fc.nat(300), fc.maxSafeNat())
const int32 = fc.oneof(fc.nat(300), fc.nat(2 ** 31 - 1))
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('x'.repeat(100_000)))
const value = fc.oneof(fc.double(), fc.integer(), fc.boolean(), text, fc.constant(-0), fc.jsonValue(), fc.bigInt())

/** The same to every byte. */
const same = (brief: Uint8Array, generated: Uint8Array) => assert.equal([...brief], [...generated])

test('an event is what is generated of it', () => {
  const event = fc.record({
    op: fc.constant('set' as const),
    number: int32,
    id: text,
    name: text,
    value,
    previous: value,
    said: fc.option(fc.constant({ source: 'me' }), { nil: undefined }),
    revision: whole,
    version: int32,
    timestamp: fc.double({ min: 0, noNaN: true }),
    more: fc.boolean(),
  })
  fc.assert(
    fc.property(event, (event) => same(encodeEvent(event), Event.encode({ ...toEvent(event), more: false }).finish())),
  )
})

test('what is no plain set is encoded all the same', () => {
  const about = { number: 1, id: 'i', name: 'n', said: undefined, revision: 5, version: 2, timestamp: 3, more: false }
  const event = { op: 'delete' as const, value: undefined, previous: 1, ...about }
  assert.is(Event.decode(encodeEvent(event)).op, Op.OP_DELETE)
})

test('a command is what is generated of it', () => {
  fc.assert(
    fc.property(
      whole,
      text,
      text,
      value,
      fc.constantFrom('', '{"source":"me"}'),
      fc.option(int32, { nil: undefined }),
      (id, sessionId, name, value, metadataJson, version) => {
        const set = {
          name,
          value: toValue(value),
          metadataJson,
          ...(version !== undefined && { expectedVersion: version }),
        }
        const op = { $case: 'set' as const, value: set }
        const item = { kind: { $case: 'command' as const, value: { id, sessionId, op } } }
        same(encodeCommand(id, sessionId, op), ClientItem.encode(item).finish())
      },
    ),
  )
})

test('a reply is what is generated of it', () => {
  const written = fc.record({
    version: int32,
    revision: whole,
    value: fc.option(value.map(toValue), { nil: undefined }),
  })
  const outcome = fc.oneof(
    written.map((value) => ({ $case: 'written' as const, value })),
    fc.constant({ $case: 'done' as const, value: {} }),
    fc.constant(undefined),
  )
  fc.assert(
    fc.property(fc.record({ id: whole, revision: whole, outcome }), (reply) =>
      same(encodeReply(reply), ServerItem.encode({ kind: { $case: 'reply', value: reply } }).finish()),
    ),
  )
})

test.run()
