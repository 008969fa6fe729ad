import type * as z from 'zod'
import { BeamlineError } from '../../errors.js'
import { notABoolean } from './boolean.js'
import type { Pattern } from './constraint-reader.js'
import { isInside, type ModuleLimits, notAllowed, notAModule, notInNamespace, spellings } from './module-name.js'
import {
  aboveMaximum,
  belowMinimum,
  type FloatLimits,
  fitsStep,
  type NumberLimits,
  normalizeInteger,
  notANumber,
  notAnInteger,
  notFinite,
  notWhole,
  offStep,
} from './numbers.js'
import type { Parse } from './refusal.js'
import {
  isLonger,
  isNil,
  isShorter,
  notAString,
  notOneOf,
  offPattern,
  type StringLimits,
  tooLong,
  tooShort,
} from './text.js'
import { zod } from './zod.js'

type Checks<T> = readonly z.core.$ZodCheck<T>[]

// The scalars as Zod says them. Variables are checked by the parsers, which are many times faster; a property test
// holds that both accept the same values, make the same of them and say the same words.

export function floatSchema({ min, max, step, finite }: FloatLimits): z.ZodType<number> {
  const z = zod()
  const specials = z.enum(['NaN', 'Infinity', '-Infinity']).transform(Number)
  const integers = z.bigint().transform(Number).refine(Number.isFinite, { error: notANumber, abort: true })
  return z.union([z.number(), z.nan(), z.literal([Infinity, -Infinity]), specials, integers], notANumber).check(
    requires((value) => !finite || Number.isFinite(value), notFinite),
    ...inRange<number>({ min, max, step }),
  )
}

export function integerSchema(limits: NumberLimits): z.ZodType<number | bigint> {
  const z = zod()
  return z
    .union([z.number(), z.nan(), z.literal([Infinity, -Infinity]), z.bigint()], notAnInteger)
    .check(
      requires(
        (value) => typeof value === 'bigint' || Number.isInteger(value),
        (value) => notWhole(Number(value)),
      ),
    )
    .transform(normalizeInteger)
    .pipe(z.custom<number | bigint>().check(...inRange<number | bigint>(limits)))
}

export function stringSchema({ minLength, maxLength, pattern, options }: StringLimits): z.ZodType<string> {
  const z = zod()
  return z.string({ error: ({ input }) => (input == null ? isNil : notAString) }).check(
    requires(
      (value) => !isShorter(value, minLength),
      (value) => tooShort(value, minLength),
    ),
    requires(
      (value) => !isLonger(value, maxLength),
      (value) => tooLong(value, maxLength),
    ),
    ...matching(pattern),
    ...among(options, notOneOf),
  )
}

export function choiceSchema(choices: readonly string[] | undefined): z.ZodType<string> {
  const z = zod()
  if (choices === undefined) return z.string(notAString)
  return z.enum(choices, { error: ({ input }) => (typeof input === 'string' ? notOneOf(choices) : notAString) })
}

export function moduleSchema({ prefix, choices, allowed, pattern }: ModuleLimits): z.ZodType<string> {
  const z = zod()
  return z
    .string(notAModule)
    .min(1, { error: notAModule, abort: true })
    .check(
      spelledOut(choices, prefix),
      ...among(choices, notOneOf),
      spelledOut(allowed, choices ? '' : prefix),
      ...among(allowed, notAllowed),
      requires(
        (value) => isInside(value, prefix),
        () => notInNamespace(prefix),
      ),
      ...matching(pattern),
    )
}

export function booleanSchema(): z.ZodType<boolean> {
  const z = zod()
  const words = z.enum(['true', 'false']).transform((word) => word === 'true')
  const bits = z.literal([0, 1]).transform(Boolean)
  return z.union([z.boolean(), words, bits], notABoolean)
}

/** A schema that asks `parse`, for values which are copied whole anyway, and for users' own validators. */
export function delegatingSchema<T>(name: string, parse: Parse<T>): z.ZodType<T> {
  const z = zod()
  return z.unknown().transform((value, context) => {
    try {
      return parse(name, value)
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      const reason = String(error.details['reason'] ?? error.message)
      context.issues.push({ code: 'custom', message: reason, input: value })
      return z.NEVER
    }
  })
}

/** Spells the short form of a module's name out. */
function spelledOut(names: readonly string[] = [], prefix: string): z.core.$ZodCheck<string> {
  const z = zod()
  const whole = spellings(names, prefix)
  return z.overwrite((value) => whole.get(value) ?? value)
}

function among(list: readonly string[] | undefined, words: (list: readonly string[]) => string): Checks<string> {
  if (list === undefined) return []
  const inList = (value: string) => list.includes(value)
  return [requires(inList, () => words(list))]
}

function matching(pattern: Pattern | undefined): Checks<string> {
  const z = zod()
  return pattern === undefined ? [] : [z.regex(pattern.expression, { error: offPattern(pattern), abort: true })]
}

function inRange<T extends number | bigint>(limits: NumberLimits): Checks<T> {
  const { min, max } = limits
  const ordered = (value: T) => typeof value === 'bigint' || Number.isFinite(value)
  return [
    requires<T>(
      (value) => min === undefined || !ordered(value) || value >= min,
      (value) => belowMinimum(value, min ?? -Infinity),
    ),
    requires<T>(
      (value) => max === undefined || !ordered(value) || value <= max,
      (value) => aboveMaximum(value, max ?? Infinity),
    ),
    requires<T>(
      (value) => !ordered(value) || fitsStep(value, limits),
      (value) => offStep(value, limits),
    ),
  ]
}

/** One condition; the first that fails is the only one reported. */
function requires<T>(holds: (value: T) => boolean, words: (value: T) => string): z.core.$ZodCheck<T> {
  const z = zod()
  return z.refine<T>(holds, { error: ({ input }) => words(input as T), abort: true })
}
