export const number = (value) => {
  if (value >= 1000) return Math.round(value).toLocaleString('en')
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)
}

const scaled = (units) => (value) => {
  const [step, unit] = units.find(([step]) => Math.abs(value) >= step) ?? units.at(-1)
  return `${number(value / step)} ${unit}`
}

/** Nanoseconds in words. */
export const time = scaled([
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
])

/** How many a second, from the nanoseconds of one. */
export const rate = (ns) =>
  scaled([
    [1e6, 'M/s'],
    [1e3, 'k/s'],
    [1, '/s'],
  ])(1e9 / ns)

/** Bytes in words. */
export const bytes = scaled([
  [2 ** 20, 'MB'],
  [2 ** 10, 'KB'],
  [1, 'B'],
])

/** What a figure says, in its unit. */
export const worth = ({ unit, p50, value }) =>
  unit === 'ns' ? time(p50 ?? value) : unit === 'bytes' ? bytes(value) : `${number(value)} %`

/** How many times as much; of very little, which part of it. */
const factor = (value) => (value < 0.1 ? `1/${number(1 / value)}` : number(value))

export const range = ({ lowest, highest }) =>
  highest / lowest < 1.1 ? factor(highest) : `${factor(lowest)} to ${factor(highest)}`

/** A table of Markdown that is a table without it too. */
export function table(head, rows) {
  const widths = head.map((title, column) =>
    Math.max(...[title, ...rows.map((cells) => cells[column])].map((text) => text.length)),
  )
  const line = (cells) => `| ${cells.map((text, column) => text.padEnd(widths[column])).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n')
}
