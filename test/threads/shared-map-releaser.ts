import { parentPort, workerData } from 'node:worker_threads'
import { SharedMap, type SharedMapMemory } from '../../src/threads/shared-map.js'

// Releases every name it can and reports how many releases were its own.
const { memory, names, claim } = workerData as { memory: SharedMapMemory; names: number; claim: number }
const map = SharedMap.attach(memory)
parentPort?.once('message', () => {
  let wins = 0
  for (let i = 0; i < names; i++) if (map.compareExchange(map.find(`name-${i}`), 0, claim, 0)) wins++
  parentPort?.postMessage(wins)
})
parentPort?.postMessage('ready')
