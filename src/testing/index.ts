export { eventually } from './eventually.js'
export { VirtualClock } from './virtual-clock.js'
