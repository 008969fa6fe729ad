import { createSecretKey } from 'node:crypto'
import { BlockList } from 'node:net'
import { MessageChannel } from 'node:worker_threads'
import fc from 'fast-check'
import { BeamlineError } from '../../src/errors.js'
import { decodeGeneral, encodeGeneral } from '../../src/threads/general-codec.js'
import { pack } from '../../src/threads/payload.js'
import { assert, suite } from '../harness.js'
import { transcript } from '../support/transcript.js'
import { anyValue, plainValue, tangle } from '../support/values.js'

const test = suite('general codec', { timeout: 60_000 })

const memory = Buffer.from(new SharedArrayBuffer(1 << 20))

/** As a ring does it: the bytes lie in shared memory, anywhere. */
function carried(value: unknown, at = 3): unknown {
  const bytes = encodeGeneral(value)
  assert.ok(bytes !== undefined, 'it was left to the port')
  memory.set(bytes, at)
  const arrived = decodeGeneral(memory.subarray(at, at + bytes.length))
  assert.is(transcript(arrived), transcript(structuredClone(value)))
  return arrived
}

test('whatever is ready to cross arrives as structured clone would have made it, wherever it lies', () => {
  const value = fc.oneof(anyValue, plainValue, tangle).map((given) => pack(given).data)
  fc.assert(
    fc.property(value, fc.nat(9), (given, at) => void carried(given, at)),
    { numRuns: 1500 },
  )
})

test('views of one buffer are still views of one buffer, which is no longer shared memory', () => {
  const buffer = new ArrayBuffer(8)
  const [bytes, words] = carried([new Uint8Array(buffer, 1, 4), new Uint16Array(buffer)]) as [Uint8Array, Uint16Array]
  assert.is(bytes.buffer, words.buffer)
  assert.instance(bytes.buffer, ArrayBuffer)
})

test('a Buffer arrives with its bytes, as a port would deliver it', () => {
  for (const buffer of [Buffer.from('pooled'), Buffer.alloc(9, 'x'), Buffer.from(new ArrayBuffer(8), 2, 3)]) {
    assert.equal([...(carried({ buffer }) as { buffer: Uint8Array }).buffer], [...buffer])
  }
})

test('only a port carries shared memory, host objects, and what it refuses itself', () => {
  const { port1, port2 } = new MessageChannel()
  const transferred = new ArrayBuffer(8)
  structuredClone(transferred, { transfer: [transferred] })
  const throwing = {
    get part(): unknown {
      throw new Error('not today')
    },
  }
  const values = [
    new SharedArrayBuffer(8),
    new Int32Array(new SharedArrayBuffer(8)),
    port1,
    new Blob(['a']),
    new BlockList(),
    createSecretKey(Buffer.from('key')),
    new Proxy({}, {}),
    new Proxy([], {}),
    new Uint8Array(new SharedArrayBuffer(8)),
    transferred,
    throwing,
    () => 1,
    Symbol('s'),
    Promise.resolve(),
    new WeakMap(),
    new (class Point {})(),
  ]
  for (const value of values) {
    for (const whole of [
      value,
      [value],
      { a: [value] },
      new Map([[value, 1]]),
      new Map([[1, value]]),
      new Set([value]),
    ]) {
      assert.is(encodeGeneral(whole), undefined, String(Object.prototype.toString.call(value)))
    }
  }
  port1.close()
  port2.close()
})

test('bytes that nobody encoded are refused or come to some value', () => {
  const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
  const packed = fc.oneof(anyValue, tangle).map((given) => pack(given).data)
  const check = (value: unknown, mutations: [number, number][]) => {
    const bytes = encodeGeneral(value) as Uint8Array
    for (const [where, byte] of mutations) bytes[where % bytes.length] = byte
    try {
      decodeGeneral(bytes)
    } catch (error) {
      assert.ok(error instanceof BeamlineError && error.code === 'CORRUPT', String(error))
    }
  }
  fc.assert(fc.property(packed, changes, check), { numRuns: 1000 })
  assert.throwsCode(() => decodeGeneral(Buffer.alloc(0)), 'CORRUPT')
  assert.throwsCode(() => decodeGeneral(Buffer.from('nonsense')), 'CORRUPT')
})

test.run()
