import { readFileSync } from 'node:fs'
import { cpus, freemem, loadavg, totalmem } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Sample } from './figures.js'
import { parseMeminfo } from './proc-meminfo.js'
import { parseNetDev, type Traffic } from './proc-net-dev.js'
import { type CoreTimes, coreUse, parseProcStat } from './proc-stat.js'

/** The text of a file under `/proc`; undefined where there is none. */
export type ReadProc = (file: string) => string | undefined

interface Reading {
  /** Milliseconds. */
  readonly at: number
  readonly cores: readonly CoreTimes[]
  readonly traffic: Traffic
}

/** Readings over which rates are taken that would jump from one to the next. */
const WINDOW = 10
/** Milliseconds between two looks at the event loop; what a look is late by is the loop's delay. */
const RESOLUTION = 10

/** Reads the figures of the machine it runs on: from `/proc` where there is one, else from `node:os`. */
export class Machine implements Disposable {
  readonly #proc: ReadProc
  readonly #loop = monitorEventLoopDelay({ resolution: RESOLUTION })
  readonly #readings: Reading[] = []

  constructor(proc: ReadProc = readProc) {
    this.#proc = proc
    this.#loop.enable()
    this.#readings.push(this.#take())
  }

  /** What has happened since the last time; per core and on the network, over the last ten times. */
  read(): Sample {
    const now = this.#take()
    const last = this.#readings.at(-1) ?? now
    const first = this.#readings[0] ?? now
    this.#readings.push(now)
    if (this.#readings.length > WINDOW) this.#readings.shift()
    const perSecond = (bytes: number) => (now.at > first.at ? Math.max(0, (1000 * bytes) / (now.at - first.at)) : 0)
    return {
      cpu: mean(coreUse(last.cores, now.cores)),
      cores: coreUse(first.cores, now.cores),
      load: loadavg()[0] ?? 0,
      memory: this.#memoryUse(),
      net_in: perSecond(now.traffic.received - first.traffic.received),
      net_out: perSecond(now.traffic.sent - first.traffic.sent),
      loop_delay: this.#loopDelay(),
    }
  }

  #take(): Reading {
    const stat = this.#proc('stat')
    const cores = stat === undefined ? coresFromOs() : parseProcStat(stat)
    return { at: performance.now(), cores, traffic: parseNetDev(this.#proc('net/dev') ?? '') }
  }

  #memoryUse(): number {
    const { total, available } = parseMeminfo(this.#proc('meminfo') ?? '') ?? {
      total: totalmem(),
      available: freemem(),
    }
    return 100 * (1 - available / total)
  }

  /** The longest delay of this thread's event loop since the last time, in milliseconds. */
  #loopDelay(): number {
    const { count, max } = this.#loop
    this.#loop.reset()
    return count === 0 ? 0 : Math.max(0, max / 1e6 - RESOLUTION)
  }

  [Symbol.dispose](): void {
    this.#loop.disable()
  }
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(`/proc/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

function coresFromOs(): CoreTimes[] {
  return cpus().map(({ times: { user, nice, sys, irq, idle } }) => {
    const busy = user + nice + sys + irq
    return { busy, total: busy + idle }
  })
}

function mean(numbers: readonly number[]): number {
  return numbers.length === 0 ? 0 : numbers.reduce((sum, number) => sum + number, 0) / numbers.length
}
