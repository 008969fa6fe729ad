import { parentPort, workerData } from 'node:worker_threads'
import { LocalState } from '../../../src/variables/local-state.js'
import type { StateMemory } from '../../../src/variables/state-store.js'
import { retention, take } from './steps.js'

// Goes on where the writer before it has died, as fast as it can, for ever: what it does depends on the revision alone.
const { memory, acknowledged } = workerData as { memory: StateMemory | undefined; acknowledged: SharedArrayBuffer }
const state = memory === undefined ? LocalState.create(retention) : await LocalState.recover(memory, retention)
const word = new Int32Array(acknowledged)
parentPort?.postMessage(state.memory)
for (;;) {
  take(state, state.revision + 1)
  Atomics.store(word, 0, state.revision)
}
