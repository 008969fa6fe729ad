import { type Parse, wrongType } from './refusal.js'

export const notABoolean = 'must be a boolean (true or false)'

/** Reads the words and numbers of programs that have no booleans: "true", "false", 1 and 0. */
export function booleanParser(type: string): Parse<boolean> {
  return (name, value) => {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 1) return true
    if (value === 'false' || value === 0) return false
    throw wrongType(name, type, value, notABoolean)
  }
}
