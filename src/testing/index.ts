export { eventually } from './eventually.js'
export { SimulatedThreads } from './simulated-threads.js'
export { VirtualClock } from './virtual-clock.js'
