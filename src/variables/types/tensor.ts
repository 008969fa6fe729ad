import type { ConstraintReader } from './constraint-reader.js'
import { foreign, isNumberList } from './embedding.js'
import { type Foreign, isForeign } from './foreign.js'
import { copyJson, NotJson } from './json.js'
import { notFinite, toNumber } from './numbers.js'
import { isPlainObject, type Parse, violated, wrongType } from './refusal.js'
import type { NestedNumbers, Tensor } from './value-types.js'

/** More than any library's arrays have; it also ends the walk through an array that holds itself. */
const rankLimit = 64

const notATensor = 'must be a tensor with shape and data'
const wrongSize = "data size doesn't match shape"

/**
 * Reads `{ shape, data }`, where `data` is flat or nested, in arrays or typed arrays, and is kept in the form it has:
 * only its count of numbers must be the product of `shape`. NaN and the infinities are numbers, unless `finite` refuses
 * them. A foreign value is taken as it is.
 */
export function tensorParser(type: string, reader: ConstraintReader): Parse<Tensor | Foreign> {
  const required = reader.counts('shape')
  const finite = reader.flag('finite')
  return (name, value) => {
    if (!isPlainObject(value)) throw wrongType(name, type, value, notATensor)
    if (isForeign(value)) return foreign(name, type, value)
    const { shape, data, ...rest } = value
    const sizes = copyShape(shape)
    if (sizes === undefined || !isNumberList(data)) throw wrongType(name, type, value, notATensor)
    const copier = new DataCopier()
    const numbers = copier.copy(data, 1)
    if (numbers === undefined) throw wrongType(name, type, value, `${notATensor}: data must hold numbers only`)
    if (copier.count !== sizes.reduce((product, size) => product * size, 1))
      throw wrongType(name, type, value, wrongSize)
    if (required !== undefined && !isSameShape(sizes, required)) {
      throw violated(name, type, value, `shape must be [${required.join(', ')}]`, { shape: required })
    }
    if (finite && copier.odd !== undefined) throw violated(name, type, value, notFinite(copier.odd), { finite })
    return { shape: sizes, data: numbers, ...copyRest(name, type, rest) }
  }
}

/** Copies nested numbers and counts them. */
class DataCopier {
  count = 0
  /** One that is NaN or infinite. */
  odd: number | undefined

  /** @returns `undefined` when something in it is no number, or it is nested too deeply */
  copy(list: ArrayLike<unknown>, depth: number): NestedNumbers | undefined {
    if (depth > rankLimit) return undefined
    const copy: (number | NestedNumbers)[] = []
    for (let at = 0; at < list.length; at++) {
      const part = list[at]
      const copied = isNumberList(part) ? this.copy(part, depth + 1) : this.#number(part)
      if (copied === undefined) return undefined
      copy.push(copied)
    }
    return copy
  }

  #number(part: unknown): number | undefined {
    const number = toNumber(part)
    this.count++
    if (number !== undefined && !Number.isFinite(number)) this.odd ??= number
    return number
  }
}

function copyShape(shape: unknown): number[] | undefined {
  if (!isNumberList(shape)) return undefined
  const sizes = Array.from(shape) as number[]
  return sizes.every((size) => Number.isSafeInteger(size) && size >= 0) ? sizes : undefined
}

function copyRest(name: string, type: string, rest: Readonly<Record<string, unknown>>): Record<string, unknown> {
  try {
    return copyJson(rest) as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof NotJson)) throw error
    throw wrongType(name, type, rest, `${notATensor}: what stands beside them ${error.message}`)
  }
}

function isSameShape(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((size, at) => size === other[at])
}
