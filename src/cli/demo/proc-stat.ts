/** The time a core has spent since the machine started, in any unit. */
export interface CoreTimes {
  readonly busy: number
  readonly total: number
}

/** The cores in the text of `/proc/stat`. */
export function parseProcStat(text: string): CoreTimes[] {
  return text
    .split('\n')
    .filter((line) => /^cpu\d/.test(line))
    .map((line) => {
      // user nice system idle iowait irq softirq steal; the guests' times that follow are in user and nice already.
      const times = line.split(/\s+/).slice(1, 9).map(Number)
      const total = times.reduce((sum, time) => sum + time, 0)
      const [, , , idle = 0, waiting = 0] = times
      return { busy: total - idle - waiting, total }
    })
}

/** How busy each core was between two readings, in percent; 0 for a core that was not there before. */
export function coreUse(before: readonly CoreTimes[], after: readonly CoreTimes[]): number[] {
  return after.map(({ busy, total }, core) => {
    const earlier = before[core]
    if (earlier === undefined || total <= earlier.total) return 0
    const percent = (100 * (busy - earlier.busy)) / (total - earlier.total)
    return Math.min(100, Math.max(0, percent))
  })
}
