import { Comedy, comedyActors } from './comedy.js'
import { Comlink } from './comlink.js'
import { present } from './load.js'
import { nactActors } from './nact.js'
import type { Absent, Actors, Remote } from './peer.js'
import { PiscinaPool } from './piscina.js'
import { Threads } from './threads.js'
import { xstateActors } from './xstate.js'

/** Who has threads, but for raw workers, which every scenario has anyway. */
export const remotes = (): Promise<(Remote | Absent)[]> =>
  Promise.all<Remote | Absent>([
    present('Comlink', Comlink.open),
    present('Piscina', () => new PiscinaPool()),
    present('threads.js', Threads.open),
    present('comedy', Comedy.open),
  ])

/** Who has actors within a thread. */
export const actors = (): Promise<(Actors | Absent)[]> =>
  Promise.all<Actors | Absent>([
    present('nact', nactActors),
    present('XState', xstateActors),
    present('comedy', comedyActors),
  ])
