/** The variables of the racing writer. */
export const names = [
  'temperature',
  'model',
  'prompt',
  'größe',
  'a variable with quite a long name, for its own free list',
]

/** Which variable the write number `count` goes to. */
export const nameFor = (count: number): string => names[count % names.length] as string

/** The value of write number `count`: any kind and size, and every part of it tells the count. */
export function valueAt(count: number): unknown {
  const kind = (count >>> 3) % 8
  switch (kind) {
    case 0:
      return count + 0.5
    case 1:
      return `${count}:${String(count).repeat(count % 40)}`
    case 2:
      return `${count} ✓ ${'é✓'.repeat(count % 300)} ${count}`
    case 3:
      return { count, list: new Array(count % 20).fill(count), text: `${count}`, deep: { count: BigInt(count) } }
    case 4:
      return new Float64Array(count % 50).fill(count)
    case 5:
      return count % 3 === 0 ? null : count % 3 === 1
    case 6:
      return String(count).repeat(count % 64 === 0 ? 20_000 : 200)
    default:
      return [count, -count]
  }
}
