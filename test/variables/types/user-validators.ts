import * as z from 'zod'

/** Text is trimmed; `no` is refused. */
export const trimmed = {
  parse(value: string): string {
    if (value === 'no') throw new RangeError('no is no answer')
    return value.trim()
  },
}

export const money = z.object({ amount: z.number().min(0), currency: z.enum(['EUR', 'USD']) })

/** A Standard Schema of no library, whose paths have objects as their parts. */
export const handmade = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value: unknown) =>
      value === 7 ? { issues: [{ message: 'is unlucky', path: [{ key: 'a' }, 1] }] } : { value: Number(value) * 2 },
  },
}

export const slow = z.number().refine(async (value) => value > 0)
export const slowAndFailing = { parse: () => Promise.reject(new Error('late')) }
export const dated = { parse: (value: string) => new Date(value) }
export const throwsText = {
  parse(): never {
    throw 'a mere text'
  },
}
export const five = 5
export default { parse: (value: unknown) => value }

/** A Standard Schema whose answers are no results; the value says which. */
export const senseless = {
  '~standard': {
    validate(value: unknown): unknown {
      const issues: Record<string, unknown> = {
        'no issue': [null],
        'no text': [{ message: { toString: 1 } }],
        'no path': [{ message: 'bad', path: 7 }],
        'no list': { 0: { message: 'bad', path: [{ key: { toString: 1 } }] } },
      }
      return value === 'nothing' ? null : { issues: issues[String(value)] }
    },
  },
}

/** Throws what cannot be made a text of; the value says which. */
export const throwsNonsense = {
  parse(value: unknown): never {
    if (value === 'an error') throw Object.assign(new Error(), { message: { toString: 1 } })
    throw value === 'bare' ? Object.create(null) : { toString: 1 }
  },
}
