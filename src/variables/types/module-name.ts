import type { ConstraintReader, Pattern } from './constraint-reader.js'
import { type Parse, violated, wrongType } from './refusal.js'
import { notOneOf, offPattern } from './text.js'

/** The limits of a module's name. Names in them are whole: they begin with the namespace, if there is one. */
export interface ModuleLimits {
  /** The namespace with its dot. */
  readonly prefix: string
  readonly choices: readonly string[] | undefined
  readonly allowed: readonly string[] | undefined
  readonly pattern: Pattern | undefined
}

export const notAModule = 'must be a module name'
export const notAllowed = (allowed: readonly string[]) => `must be one of the allowed modules: ${allowed.join(', ')}`
export const notInNamespace = (prefix: string) => `must be a module of the namespace ${prefix.slice(0, -1)}: ${prefix}…`

export function readModuleLimits(reader: ConstraintReader): ModuleLimits {
  const namespace = reader.text('namespace')
  const prefix = namespace === undefined ? '' : `${namespace}.`
  const choices = wholeNames(reader, prefix, 'choices')
  const allowed = wholeNames(reader, prefix, 'allowed_modules', 'allowedModules')
  return { prefix, choices, allowed, pattern: reader.pattern('pattern') }
}

/** With a list of names, the short form of a name in the list is read as the whole name. */
export function moduleParser(type: string, limits: ModuleLimits): Parse<string> {
  const { prefix, choices, allowed, pattern } = limits
  const wholeChoices = choices && spellings(choices, prefix)
  // What is one of the choices is whole by then.
  const wholeAllowed = allowed && spellings(allowed, choices ? '' : prefix)
  return (name, value) => {
    if (typeof value !== 'string' || value === '') throw wrongType(name, type, value, notAModule)
    let whole: string | undefined = value
    if (wholeChoices) {
      whole = wholeChoices.get(whole)
      if (whole === undefined) throw violated(name, type, value, notOneOf(choices), { choices })
    }
    if (wholeAllowed) {
      whole = wholeAllowed.get(whole)
      if (whole === undefined) throw violated(name, type, value, notAllowed(allowed), { allowedModules: allowed })
    }
    if (!isInside(whole, prefix)) {
      throw violated(name, type, value, notInNamespace(prefix), { namespace: prefix.slice(0, -1) })
    }
    if (pattern && !pattern.expression.test(whole)) {
      throw violated(name, type, value, offPattern(pattern), { pattern: pattern.source })
    }
    return whole
  }
}

/** The names by every way to write them; a whole name comes before another's short form. */
export function spellings(names: readonly string[], prefix: string): ReadonlyMap<string, string> {
  const short = names.map((name) => [name.slice(prefix.length), name] as const)
  return new Map([...short, ...names.map((name) => [name, name] as const)])
}

/** Whether `name` is `prefix` and more. */
export function isInside(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && name.length > prefix.length
}

function wholeNames(
  reader: ConstraintReader,
  prefix: string,
  ...keys: readonly string[]
): readonly string[] | undefined {
  const names = reader.strings(...keys)
  if (names?.includes('')) reader.refuse(`${keys[0]} must be names, not empty strings`)
  const whole = names?.map((name) => {
    if (isInside(name, prefix)) return name
    if (name.includes('.')) reader.refuse(`${keys[0]} has '${name}', which must begin with the namespace ${prefix}`)
    return prefix + name
  })
  return whole && Object.freeze([...new Set(whole)])
}
