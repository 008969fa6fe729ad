import fc from 'fast-check'

/** Texts of every kind: of one-byte and of wider characters, short and long, half a surrogate pair too. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
  fc.tuple(fc.string({ minLength: 1, unit: 'binary-ascii' }), fc.nat(300)).map(([unit, times]) => unit.repeat(times)),
)

const number = fc.oneof(fc.integer(), fc.integer({ min: -2, max: 130 }), fc.maxSafeInteger(), fc.double())

const key = fc.oneof(
  fc.constantFrom('id', 'value', 'name', 'kind', '__proto__', 'constructor', '', '0', '-1', '7'),
  text,
)

/** Trees of primitives, dense arrays and object literals, in which nothing is met twice. */
export const plainValue: fc.Arbitrary<unknown> = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.oneof(number, text, fc.boolean(), fc.constantFrom(null, undefined)),
    fc.array(tie('tree'), { maxLength: 8 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 8, noNullPrototype: true }),
  ),
})).tree

/** Whatever structured clone takes, holes and invalid dates too; in it nothing is met twice. */
export const anyValue: fc.Arbitrary<unknown> = fc.anything({
  key,
  values: [number, text, fc.boolean(), fc.constantFrom(null, undefined), fc.bigInt()],
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withTypedArray: true,
  withSparseArray: true,
})

/** Values whose containers refer to one another at random: shared parts, cycles, views of one buffer. */
export const tangle: fc.Arbitrary<unknown> = fc
  .array(fc.tuple(fc.nat(5), fc.array(fc.tuple(fc.nat(9), number), { maxLength: 5 })), { minLength: 1, maxLength: 10 })
  .map((plan) => {
    const buffer = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]).buffer
    const make = [
      () => [] as unknown[],
      () => ({}) as Record<string, unknown>,
      () => new Map<unknown, unknown>(),
      () => new Set<unknown>(),
      () => new Uint16Array(buffer, 2, 2),
      () => new Date(5),
    ]
    const parts = plan.map(([kind]) => (make[kind] as () => object)())
    plan.forEach(([, edges], index) => {
      const whole = parts[index]
      for (const [to, value] of edges) {
        const part = parts[to] ?? value
        if (Array.isArray(whole)) whole.push(part, value)
        else if (whole instanceof Map) whole.set(part, value)
        else if (whole instanceof Set) whole.add(part)
        else if (Object.getPrototypeOf(whole) === Object.prototype)
          Object.assign(whole as object, { [`to${to}`]: part })
      }
    })
    return parts
  })
