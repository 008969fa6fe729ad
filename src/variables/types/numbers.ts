import type { ConstraintReader } from './constraint-reader.js'
import { type Parse, violated, wrongType } from './refusal.js'

/** The limits of an integer. */
export interface NumberLimits {
  readonly min: number | bigint | undefined
  readonly max: number | bigint | undefined
  readonly step: number | bigint | undefined
}

/** The limits of a float. */
export interface FloatLimits extends NumberLimits {
  readonly finite: boolean
}

export const notANumber = 'must be a number'
export const notAnInteger = 'must be an integer'
export const belowMinimum = (value: number | bigint, min: number | bigint) => `value ${value} is below minimum ${min}`
export const aboveMaximum = (value: number | bigint, max: number | bigint) => `value ${value} is above maximum ${max}`
export const notWhole = (value: number) => `must be a whole number, got ${value}`
export const notFinite = (value: number) => `must be finite, got ${value}`
export const offStep = (value: number | bigint, { min, step }: NumberLimits) =>
  `value ${value} is not a multiple of step ${step}${min === undefined ? '' : ` counted from ${min}`}`

export function readFloatLimits(reader: ConstraintReader): FloatLimits {
  return { ...readRange(reader), finite: reader.flag('finite') }
}

export function readIntegerLimits(reader: ConstraintReader): NumberLimits {
  const limits = readRange(reader)
  const { min, max, step } = limits
  if (step !== undefined && !isWhole(step)) reader.refuse(`step must be a whole number, not ${step}`)
  if (step !== undefined && min !== undefined && !isWhole(min) && min !== -Infinity) {
    reader.refuse(`min must be a whole number beside a step, not ${min}: no whole number would fit`)
  }
  if (typeof min === 'number' && typeof max === 'number' && Math.ceil(min) > Math.floor(max)) {
    reader.refuse(`min ${min} and max ${max} must have a whole number between them`)
  }
  return limits
}

function readRange(reader: ConstraintReader): NumberLimits {
  const [min, max, step] = [reader.number('min'), reader.number('max'), reader.number('step')]
  if (min === Infinity) reader.refuse('min must be below Infinity')
  if (max === -Infinity) reader.refuse('max must be above -Infinity')
  if (min !== undefined && max !== undefined && min > max) reader.refuse(`min ${min} must not be above max ${max}`)
  if (step !== undefined && !(step > 0 && step < Infinity)) {
    reader.refuse(`step must be a finite number above 0, not ${step}`)
  }
  return { min, max, step }
}

/** Integers become floats, and the JSON strings for what JSON has no numbers for are read. */
export function floatParser(type: string, limits: FloatLimits): Parse<number> {
  const low = limits.min ?? -Infinity
  const high = limits.max ?? Infinity
  const { step, finite } = limits
  const plain = step === undefined && !finite
  return (name, value) => {
    const number = typeof value === 'number' ? value : toFloat(name, type, value)
    if (plain && number >= low && number <= high) return number
    if (!Number.isFinite(number)) {
      if (finite) throw violated(name, type, number, notFinite(number), { finite })
      return number
    }
    checkLimits(name, type, number, limits)
    return number
  }
}

/**
 * Whole floats become integers. Every integer within ±(2^53 − 1) is a number and every other a bigint, so two equal
 * integers are identical however they were written.
 */
export function integerParser(type: string, limits: NumberLimits): Parse<number | bigint> {
  const low = limits.min ?? -Infinity
  const high = limits.max ?? Infinity
  const plain = limits.step === undefined
  return (name, value) => {
    // + 0 turns the float -0 into the integer 0.
    const whole = Number.isSafeInteger(value) ? (value as number) + 0 : toInteger(name, type, value)
    if (plain && whole >= low && whole <= high) return whole
    checkLimits(name, type, whole, limits)
    return whole
  }
}

function checkLimits(name: string, type: string, value: number | bigint, limits: NumberLimits): void {
  const { min, max, step } = limits
  if (min !== undefined && value < min) throw violated(name, type, value, belowMinimum(value, min), { min })
  if (max !== undefined && value > max) throw violated(name, type, value, aboveMaximum(value, max), { max })
  if (!fitsStep(value, limits)) throw violated(name, type, value, offStep(value, limits), { step })
}

function toFloat(name: string, type: string, value: unknown): number {
  if (value === 'NaN') return NaN
  if (value === 'Infinity') return Infinity
  if (value === '-Infinity') return -Infinity
  const number = toNumber(value)
  if (number === undefined) throw wrongType(name, type, value, notANumber)
  return number
}

function toInteger(name: string, type: string, value: unknown): number | bigint {
  if (typeof value === 'bigint') return normalizeInteger(value)
  if (typeof value !== 'number') throw wrongType(name, type, value, notAnInteger)
  if (!Number.isInteger(value)) throw wrongType(name, type, value, notWhole(value))
  return BigInt(value)
}

/** A number, or a bigint within the range of floats, as a number. */
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const number = typeof value === 'bigint' ? Number(value) : NaN
  return Number.isFinite(number) ? number : undefined
}

/** An integer as a number where that is exact. */
export function normalizeInteger(value: number | bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number + 0 : BigInt(value)
}

/** Whether a finite number is on the grid of `step`; true without one. */
export function fitsStep(value: number | bigint, { min, step }: NumberLimits): boolean {
  if (step === undefined) return true
  const origin = min === undefined || min === -Infinity ? 0 : min
  if (isWhole(step) && isWhole(origin) && isWhole(value)) return isMultiple(value, origin, step)
  return isNearMultiple(Number(value), Number(origin), Number(step))
}

function isMultiple(value: number | bigint, origin: number | bigint, step: number | bigint): boolean {
  if (typeof value === 'number' && typeof origin === 'number' && typeof step === 'number') {
    const distance = value - origin
    if (Number.isSafeInteger(distance)) return distance % step === 0
  }
  return (BigInt(value) - BigInt(origin)) % BigInt(step) === 0n
}

/** 0.3 is three steps of 0.1 although no binary float is: sums of a few thousand steps stay within the tolerance. */
function isNearMultiple(value: number, origin: number, step: number): boolean {
  const nearest = origin + Math.round((value - origin) / step) * step
  const tolerance = step * 1e-9 + 4 * Number.EPSILON * Math.max(Math.abs(value), Math.abs(origin))
  return !(Math.abs(value - nearest) > tolerance)
}

function isWhole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isInteger(value)
}
