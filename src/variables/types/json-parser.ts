import type * as z from 'zod'
import type { ConstraintReader } from './constraint-reader.js'
import { copyJson, NotJson, pathOf } from './json.js'
import { type Parse, violated, wrongType } from './refusal.js'
import type { JsonValue } from './value-types.js'
import { zod } from './zod.js'

/** Copies the value, and checks it against the JSON Schema in the constraint `schema`. */
export function jsonParser(type: string, reader: ConstraintReader): Parse<JsonValue> {
  const schema = readSchema(reader)
  return (name, value) => {
    const copy = copied(name, type, value)
    const issue = schema?.safeParse(copy).error?.issues[0]
    if (issue === undefined) return copy
    const place = issue.path.length === 0 ? '' : `${pathOf(issue.path)}: `
    throw violated(name, type, value, `must fit the schema: ${place}${issue.message}`, {
      schema: reader.given['schema'],
    })
  }
}

function copied(name: string, type: string, value: unknown): JsonValue {
  try {
    return copyJson(value)
  } catch (error) {
    throw error instanceof NotJson ? wrongType(name, type, value, error.message) : error
  }
}

function readSchema(reader: ConstraintReader): z.ZodType | undefined {
  const schema = reader.object('schema')
  if (schema === undefined) return undefined
  try {
    return zod().fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch (cause) {
    return reader.refuse(`schema must be a JSON Schema that can be checked here: ${(cause as Error).message}`, cause)
  }
}
