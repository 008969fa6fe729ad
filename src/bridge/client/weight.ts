/** What an object has around its parts, and each of them. */
const AROUND = 16
/** Parts of a value that are counted, one by one; a value with more is heavier than it is said to be. */
const MOST = 100_000

/** About how many bytes a value takes. */
export function weightOf(value: unknown): number {
  const stack: unknown[] = [value]
  let bytes = 0
  for (let count = 0; stack.length > 0 && count < MOST; count++) bytes += weigh(stack.pop(), stack)
  return bytes
}

/** What a value takes without its parts, which are put on the stack. */
function weigh(value: unknown, stack: unknown[]): number {
  if (typeof value === 'string') return AROUND + value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return AROUND + value.byteLength
  if (Array.isArray(value)) {
    if (typeof value[0] === 'number') return AROUND + 8 * value.length
    for (const part of value) stack.push(part)
    return AROUND
  }
  for (const part of Object.values(value)) stack.push(part)
  return AROUND
}
