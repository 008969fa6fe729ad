import { ProcessTable } from '../../src/actors/process-table.js'
import { assert, suite } from '../harness.js'

const test = suite('process table')

/** As many processes as fill one chunk. */
const fill = (table: ProcessTable, thread: number) => Array.from({ length: 64 }, () => table.open(thread))

test('the slots of a dead thread go to others before new ones are used', () => {
  const table = ProcessTable.create('node', 1000)
  const other = ProcessTable.attach(table.memory)
  const [first, second] = [fill(table, 1), fill(other, 2)]
  fill(other, 3)
  table.closeThread(1)
  table.closeThread(2)
  assert.is(table.living, 64)
  const third = ProcessTable.attach(table.memory)
  const slots = [...fill(third, 4), ...fill(third, 4)].map(({ slot }) => slot)
  assert.equal(
    slots.sort((a, b) => a - b),
    [...first, ...second].map(({ slot }) => slot).sort((a, b) => a - b),
  )
  assert.is(first.some((pid) => table.isAlive(pid)) || second.some((pid) => table.isAlive(pid)), false)
  assert.is(table.list().length, 3 * 64)
})

test('a slot that was freed behind the search is found in the end', () => {
  const table = ProcessTable.create('node', 64)
  const most = table.open(1)
  for (let thread = 2; ; thread++) {
    try {
      const pid = ProcessTable.attach(table.memory).open(thread)
      table.close(pid)
    } catch (error) {
      assert.match(String(error), /no room/)
      break
    }
  }
  table.closeThread(2)
  assert.ok(ProcessTable.attach(table.memory).open(1).slot >= 64)
  assert.ok(table.isAlive(most))
})

test.run()
