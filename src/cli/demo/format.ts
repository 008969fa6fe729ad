import type { Figures } from './figures.js'

const steps = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** `62.5 %` */
export function percent(value: number): string {
  return `${value.toFixed(1)} %`
}

/** `1.5 kB/s`, in units of 1000. */
export function bytesPerSecond(value: number): string {
  const units = ['B/s', 'kB/s', 'MB/s', 'GB/s']
  const power = value < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3))
  return `${(value / 1000 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

/** A bar of `width` characters, filled by so many percent. */
export function bar(value: number, width: number): string {
  const filled = Math.round((Math.min(100, Math.max(0, value)) / 100) * width)
  return '█'.repeat(filled) + '░'.repeat(width - filled)
}

/** One character for each percentage. */
export function sparkline(values: readonly number[]): string {
  return values.map((value) => steps[Math.min(steps.length - 1, Math.max(0, Math.floor(value / 12.5)))]).join('')
}

const withBar = (value: number) => `${bar(value, 20)} ${percent(value).padStart(7)}`

const formats: { readonly [K in keyof Figures]?: (value: Figures[K]) => string } = {
  cpu: withBar,
  cpu_smooth: withBar,
  memory: withBar,
  cores: sparkline,
  load: (value) => value.toFixed(2),
  net_in: bytesPerSecond,
  net_out: bytesPerSecond,
  loop_delay: (value) => `${value.toFixed(1)} ms`,
  alert: (value) => (value ? 'yes' : 'no'),
}

/** The value of a variable, for people. */
export function valueText(name: string, value: unknown): string {
  const format = formats[name as keyof Figures] as ((value: unknown) => string) | undefined
  return format === undefined ? String(value) : format(value)
}

/** `text` in exactly `width` characters. */
export function fit(text: string, width: number): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, width) : text.padEnd(width)
}
