import { parentPort } from 'node:worker_threads'
import { SharedMap } from '../../src/threads/shared-map.js'

// Changes a map as fast as it can, for ever. Entries check themselves: [count, index, count * 31, ~count], where index
// says which key it is and count only grows. The `stay` keys are replaced, the `churn` keys come and go.
export const stays = 50
export const churns = 200

const map = SharedMap.create({ words: 4, buckets: 16 })
let count = 0
const put = (key: string, index: number): void => {
  count++
  map.insert(key, [count, index, Math.imul(count, 31), ~count])
}
for (let i = 0; i < stays; i++) put(`stay-${i}`, i)
parentPort?.postMessage(map.memory)
for (let turn = 0; ; turn = (turn * 1664525 + 1013904223) >>> 0) {
  const pick = turn >>> 8
  put(`stay-${pick % stays}`, pick % stays)
  const key = `churn-${pick % churns}`
  if (!map.delete(key)) put(key, pick % churns)
}
