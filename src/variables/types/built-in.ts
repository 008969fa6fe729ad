import type { ZodType } from 'zod'
import { booleanParser } from './boolean.js'
import type { ConstraintReader } from './constraint-reader.js'
import { embeddingParser } from './embedding.js'
import { jsonParser } from './json-parser.js'
import { moduleParser, readModuleLimits } from './module-name.js'
import { floatParser, integerParser, readFloatLimits, readIntegerLimits } from './numbers.js'
import type { Parse } from './refusal.js'
import {
  booleanSchema,
  choiceSchema,
  delegatingSchema,
  floatSchema,
  integerSchema,
  moduleSchema,
  stringSchema,
} from './schema.js'
import { tensorParser } from './tensor.js'
import { choiceParser, readStringLimits, stringParser } from './text.js'
import type { TypeName } from './value-types.js'

/** A built-in type with its constraints, compiled. */
export interface Compiled<T = unknown> {
  readonly parse: Parse<T>
  /** Builds the same check as a Zod schema. */
  schema(): ZodType<T>
}

/** @throws BeamlineError CONSTRAINT for constraints that no value can fit or that are not of their form */
export function compileBuiltIn(base: TypeName, reader: ConstraintReader): Compiled {
  return compilers[base](reader)
}

const compilers: Readonly<Record<TypeName, (reader: ConstraintReader) => Compiled>> = {
  float: (reader) => {
    const limits = readFloatLimits(reader)
    return { parse: floatParser(reader.type, limits), schema: () => floatSchema(limits) }
  },
  integer: (reader) => {
    const limits = readIntegerLimits(reader)
    return { parse: integerParser(reader.type, limits), schema: () => integerSchema(limits) }
  },
  string: (reader) => {
    const limits = readStringLimits(reader)
    const parse = stringParser(reader.type, limits)
    requireFit(reader, 'enum', limits.options, parse)
    return { parse, schema: () => stringSchema(limits) }
  },
  boolean: (reader) => ({ parse: booleanParser(reader.type), schema: booleanSchema }),
  choice: (reader) => {
    const choices = reader.strings('choices')
    return { parse: choiceParser(reader.type, choices), schema: () => choiceSchema(choices) }
  },
  module: (reader) => {
    const limits = readModuleLimits(reader)
    const parse = moduleParser(reader.type, limits)
    requireFit(reader, 'choices', limits.choices, parse)
    requireFit(reader, 'allowed_modules', limits.allowed, parse)
    return { parse, schema: () => moduleSchema(limits) }
  },
  embedding: (reader) => delegating(reader, embeddingParser(reader.type, reader)),
  tensor: (reader) => delegating(reader, tensorParser(reader.type, reader)),
  json: (reader) => delegating(reader, jsonParser(reader.type, reader)),
}

function delegating<T>(reader: ConstraintReader, parse: Parse<T>): Compiled<T> {
  return { parse, schema: () => delegatingSchema(reader.name, parse) }
}

/** Refuses a list of which nothing passes the other constraints. */
function requireFit(reader: ConstraintReader, key: string, list: readonly string[] | undefined, parse: Parse): void {
  const reasons: string[] = []
  for (const value of list ?? []) {
    try {
      parse(reader.name, value)
      return
    } catch (error) {
      reasons.push((error as Error).message)
    }
  }
  if (list !== undefined) reader.refuse(`one of ${key} must pass the other constraints (${reasons[0]})`)
}
