import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { LocalState } from '../../../src/variables/local-state.js'
import type { StateMemory } from '../../../src/variables/state-store.js'
import { ValueTable } from '../../../src/variables/value-table.js'
import { assert, suite } from '../../harness.js'
import { same } from '../../support/same.js'
import { flicker, flickers, json, retention, saidAt, stable, written } from './steps.js'

const test = suite('the state of a context, whose thread is killed', { timeout: 150_000 })

const program = new URL('./writer.js', import.meta.url)

/** The last revision up to one that wrote a variable. */
function lastOf(name: string, revision: number): number {
  for (let at = revision; at > stable.length; at--) if (written(at).includes(name)) return at
  return stable.indexOf(name) + 1
}

function check(state: LocalState, revision: number): void {
  const { isThere, since } = flickers(revision)
  const names = isThere ? [...stable, flicker] : stable
  assert.equal(
    state.list('*').map(({ name }) => name),
    names,
  )
  for (const name of names) {
    const info = state.describe(name)
    const last = name === flicker ? since : lastOf(name, revision)
    same([info.revision, info.value], [last, json(last)], `${name} at ${revision}`)
    const { meta } = state.initial(name)
    const said = last <= stable.length || name === flicker ? undefined : saidAt(last)
    assert.equal([meta.source, meta.revision], [said?.source ?? 'local', last])
    for (const entry of state.history(name, 100)) same(entry.value, json(entry.revision), `${name}: history`)
  }
  checkLog(state, revision)
}

/** Every change of the latest revisions, each with the value before it. */
function checkLog(state: LocalState, revision: number): void {
  const from = Math.max(stable.length, revision - 30)
  const changes = state.since(from, new Set(stable))
  const expected = Array.from({ length: revision - from }, (_, i) => from + 1 + i).flatMap((at) =>
    written(at).map((name) => [at, name, json(at), json(lastOf(name, at - 1))]),
  )
  same(
    changes.map(({ meta, name, value, previous }) => [meta.revision, name, value, previous]),
    expected,
    `the log at ${revision}`,
  )
}

test('V8 200 writers, one after the other, are killed at random moments: the next goes on from the last commit', async () => {
  const acknowledged = new SharedArrayBuffer(4)
  const word = new Int32Array(acknowledged)
  let memory: StateMemory | undefined
  let reader: ValueTable | undefined
  for (let round = 0; round < 200; round++) {
    const worker = new Worker(program, { workerData: { memory, acknowledged } })
    const [present] = (await once(worker, 'message')) as [StateMemory]
    memory ??= present
    reader ??= ValueTable.attach(memory.table)
    const begun = Atomics.load(word, 0)
    while (Atomics.load(word, 0) < begun + stable.length + 1);
    const moment = performance.now() + Math.random() * 3
    while (performance.now() < moment) reader.read(stable[round % 4] as string)
    await worker.terminate()
    const seen = stable.map((name) => reader?.read(name)?.version ?? -1)
    const state = await LocalState.recover(memory, retention)
    const last = Atomics.load(word, 0)
    assert.ok(state.revision === last || state.revision === last + 1, `${state.revision} after ${last}`)
    check(state, state.revision)
    stable.forEach((name, i) => {
      const found = reader?.read(name)
      same(found?.value, state.describe(name).value, name)
      assert.ok((found?.version ?? -1) >= (seen[i] as number), `${name} went back`)
    })
  }
})

test.run()
