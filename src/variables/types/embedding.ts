import type { ConstraintReader } from './constraint-reader.js'
import { copyForeign, type Foreign, isForeign } from './foreign.js'
import { NotJson } from './json.js'
import { notFinite, toNumber } from './numbers.js'
import { type Parse, violated, wrongType } from './refusal.js'

type NumberList = ArrayLike<unknown>

const notAList = 'must be a numeric list'
const notNumbers = 'must be a list of numbers'

/**
 * Reads an array or a typed array of numbers, integers included, into an array of floats. NaN and the infinities are
 * numbers here as they are in a float variable, unless the constraint `finite` refuses them. A foreign value is taken as it
 * is.
 */
export function embeddingParser(type: string, reader: ConstraintReader): Parse<number[] | Foreign> {
  const dimensions = reader.count(1, 'dimensions')
  const finite = reader.flag('finite')
  return (name, value) => {
    if (!isNumberList(value)) {
      if (isForeign(value)) return foreign(name, type, value)
      throw wrongType(name, type, value, notAList)
    }
    const numbers = new Array<number>(value.length)
    for (let at = 0; at < numbers.length; at++) {
      const number = toNumber(value[at])
      if (number === undefined) throw wrongType(name, type, value, notNumbers)
      numbers[at] = number
    }
    if (dimensions !== undefined && numbers.length !== dimensions) {
      throw violated(name, type, value, `must have exactly ${dimensions} dimensions`, { dimensions })
    }
    const odd = finite ? numbers.find((number) => !Number.isFinite(number)) : undefined
    if (odd !== undefined) throw violated(name, type, value, notFinite(odd), { finite })
    return numbers
  }
}

/** @throws BeamlineError INVALID_TYPE for a header that is no JSON */
export function foreign(name: string, type: string, value: Foreign): Foreign {
  try {
    return copyForeign(value)
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw wrongType(name, type, value, `the header of a foreign value ${error.message}`)
  }
}

/** An array or a typed array. */
export function isNumberList(value: unknown): value is NumberList {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView))
}
