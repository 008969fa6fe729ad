import { parentPort } from 'node:worker_threads'
import { TableWriter } from '../../src/variables/table-writer.js'
import { nameFor, names, valueAt } from './self-checking.js'

// Writes values that check themselves as fast as it can, for ever; the version is the number of the write. The last
// name is deleted before each of its writes, and short-lived names of the same length take its place in between.
const table = TableWriter.create({ buckets: 4 })
const flicker = names[names.length - 1] as string
let count = 0
for (; count < names.length; count++) table.write(nameFor(count), valueAt(count), count)
parentPort?.postMessage(table.memory)
for (; ; count++) {
  const name = nameFor(count)
  if (name === flicker) {
    table.delete(name)
    const guest = `${count}`.padStart(flicker.length, '.')
    table.write(guest, 'a value that must never be seen under the other name', -1)
    table.write(name, valueAt(count), count)
    table.delete(guest)
  } else table.write(name, valueAt(count), count)
}
