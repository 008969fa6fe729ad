// The buffer of a SharedMap, in int32 words: epoch, bucket count, the chain heads, then the nodes, each
// [next, hash, key bytes, version, ...words, ...key]. An entry is the index of its first word; 0 ends a chain.
export const epochAt = 0
export const bucketsAt = 16
export const headsAt = 32
export const nextAt = -4
export const hashAt = -3
export const bytesAt = -2
export const versionAt = -1
export const nodeHeader = 4

/** What only the writing thread knows: where the next node goes, and the free nodes by log2 of their key words. */
export interface WriterState {
  end: number
  readonly free: number[][]
}

/** Log2 of the words kept for a key of so many bytes: 4 to 128 of them, so that free nodes fit many keys. */
export const sizeClass = (bytes: number): number => Math.max(2, 32 - Math.clz32(((bytes + 3) >>> 2) - 1))

export const emptyMap = (buckets: number): WriterState => ({
  // An even word: doubles may be among the words of an entry.
  end: headsAt + buckets + (buckets & 1),
  free: Array.from({ length: 8 }, () => []),
})

/**
 * What the writer knew that has died, from what it wrote. A node that no chain reaches is free: it had been taken out, or
 * was being put in. Nodes lie one behind the other; the first without a key's length was never finished.
 */
export function recoverNodes(ints: Int32Array, entryWords: number): WriterState {
  const buckets = ints[bucketsAt] as number
  const linked = new Set<number>()
  for (let head = headsAt; head < headsAt + buckets; head++) {
    for (let entry = ints[head] as number; entry !== 0; entry = ints[entry + nextAt] as number) linked.add(entry)
  }
  const state = emptyMap(buckets)
  for (;;) {
    const entry = state.end + nodeHeader
    const bytes = ints[entry + bytesAt] ?? 0
    if (bytes === 0) return state
    if (!linked.has(entry)) state.free[sizeClass(bytes)]?.push(entry)
    state.end = entry + entryWords + 2 ** sizeClass(bytes)
  }
}
