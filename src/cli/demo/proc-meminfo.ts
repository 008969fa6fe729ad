/** Bytes of memory. */
export interface Memory {
  readonly total: number
  readonly available: number
}

/** The memory in the text of `/proc/meminfo`; undefined when it does not say. */
export function parseMeminfo(text: string): Memory | undefined {
  const bytes = (key: string) => {
    const kilobytes = new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes)
  }
  const total = bytes('MemTotal')
  const available = bytes('MemAvailable') ?? bytes('MemFree')
  return total === undefined || available === undefined ? undefined : { total, available }
}
