import { BeamlineError, shown } from '../../errors.js'
import { pathOf } from './json.js'
import { type Parse, violated, wrongType } from './refusal.js'
import type { TypeDefinition } from './value-types.js'

/** The part of a Standard Schema that is used here. */
interface StandardSchema {
  readonly '~standard': { validate(value: unknown): unknown }
}

interface StandardResult {
  readonly value?: unknown
  readonly issues?: readonly { readonly message: string; readonly path?: readonly unknown[] }[]
}

/**
 * Loads the validator of a user's type, and puts it behind the base type's own.
 * @throws BeamlineError BAD_ENTRY when there is no such module or export, or it is no validator
 */
export async function loadUserParser(definition: TypeDefinition, base: Parse): Promise<Parse> {
  const { name: type } = definition
  const refine = await loadRefinement(definition)
  return (name, value) => stored(base, name, type, refine(name, base(name, value)))
}

async function loadRefinement({
  name: type,
  module = '',
  export: exported = 'default',
}: TypeDefinition): Promise<Parse> {
  const fail = (reason: string, cause?: unknown): never => {
    const message = `type '${type}': no validator '${exported}' in the module ${module}, ${reason}`
    const details = { type, module, export: exported }
    throw new BeamlineError('BAD_ENTRY', message, cause === undefined ? { details } : { cause, details })
  }
  const found = await import(module).then(
    (exports: Record<string, unknown>) => exports[exported],
    (cause: unknown) => fail(`which cannot be loaded: ${reasonOf(cause)}`, cause),
  )
  if (found === undefined) return fail('which has no such export')
  return refinementOf(type, found) ?? fail('where it must be an object with parse(value) or a Standard Schema')
}

function refinementOf(type: string, validator: unknown): Parse | undefined {
  if (isStandardSchema(validator)) return standardParser(type, validator)
  return hasParse(validator) ? customParser(type, validator) : undefined
}

/** What the user's validator made of the value, which has to travel as the base type. */
function stored(base: Parse, name: string, type: string, answer: unknown): unknown {
  try {
    return base(name, answer)
  } catch (cause) {
    const reason = `the validator of '${type}' answered what its base type refuses (${reasonOf(cause)})`
    throw wrongType(name, type, answer, reason, cause)
  }
}

function customParser(type: string, validator: { parse(value: unknown): unknown }): Parse {
  return (name, value) =>
    atOnce(
      type,
      guarded(name, type, value, () => validator.parse(value)),
    )
}

function standardParser(type: string, schema: StandardSchema): Parse {
  return (name, value) => {
    const answer = guarded(name, type, value, () => schema['~standard'].validate(value))
    const result = atOnce(type, answer) as StandardResult
    const refused = guarded(name, type, value, () => refusalIn(result))
    if (refused !== undefined) throw violated(name, type, value, refused)
    return guarded(name, type, value, () => result.value)
  }
}

function refusalIn({ issues }: StandardResult): string | undefined {
  const issue = issues?.[0]
  if (issue === undefined) return undefined
  const reason = typeof issue.message === 'string' ? issue.message : shown(issue.message)
  const keys = (issue.path ?? []).map(keyOf)
  return keys.length === 0 ? reason : `${pathOf(keys)}: ${reason}`
}

function guarded<T>(name: string, type: string, value: unknown, validate: () => T): T {
  try {
    return validate()
  } catch (cause) {
    throw violated(name, type, value, reasonOf(cause), undefined, cause)
  }
}

/** Variables are written in one turn: what is checked must be what is stored, in the order of the writes. */
function atOnce(type: string, answer: unknown): unknown {
  if (!(answer instanceof Promise)) return answer
  answer.catch(() => {})
  throw new BeamlineError('BAD_ENTRY', `type '${type}': the validator must answer at once, not with a promise`, {
    details: { type },
  })
}

/** The validator may throw anything, and what it threw may throw when it is read. */
function reasonOf(cause: unknown): string {
  try {
    if (cause instanceof Error && typeof cause.message === 'string') return cause.message
  } catch {
    // Its message is out of reach: what can be shown of it has to do.
  }
  return typeof cause === 'string' ? cause : shown(cause)
}

/** A part of a Standard Schema's path is a key, or an object that has it. */
function keyOf(part: unknown): PropertyKey {
  return typeof part === 'object' && part !== null && 'key' in part ? (part.key as PropertyKey) : (part as PropertyKey)
}

function isStandardSchema(value: unknown): value is StandardSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false
  const standard = value['~standard']
  return typeof standard === 'object' && standard !== null && 'validate' in standard
}

function hasParse(value: unknown): value is { parse(value: unknown): unknown } {
  return typeof value === 'object' && value !== null && 'parse' in value && typeof value.parse === 'function'
}
