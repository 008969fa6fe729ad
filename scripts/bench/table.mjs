import { range, rate, table, time, worth } from './text.mjs'

/** What is measured, and of how many. */
export const topicOf = ({ what, where, size }) =>
  [what, where, size?.toLocaleString('en')].filter((part) => part !== undefined).join(', ')

function row(figure) {
  const topic = topicOf(figure)
  const { by, cannot, later, averaged, samples, p50, p99, p999, ratio } = figure
  if (cannot !== undefined) return [topic, by, `cannot: ${cannot}`, '', '', '', '']
  const median = later === undefined ? worth(figure) : `${worth(figure)}, later ${time(later)}`
  if (p50 === undefined) return [topic, by, median, '', '', '', '']
  // A tail of averages is none, nor one of too few.
  const tail = (value, least) => (averaged > 1 || samples < least ? '' : time(value))
  return [topic, by, median, tail(p99, 100), tail(p999, 1000), rate(p50), ratio ? `${range(ratio)} ×` : '']
}

/** The rows, those of one topic together, which is told once. */
function rowsOf(figures) {
  const topics = [...new Set(figures.map(topicOf))]
  return topics.flatMap((topic) => {
    const rows = figures.filter((figure) => topicOf(figure) === topic).map(row)
    return rows.map(([, ...cells], index) => [index === 0 ? topic : '', ...cells])
  })
}

/** A table for each scenario. */
export function tables(scenarios) {
  return scenarios
    .filter(({ figures }) => figures.length > 0)
    .map(({ scenario, date, commit, quick, machine: { cpu, cores, node, load }, figures }) => {
      const others = new Set(figures.flatMap(({ against }) => figures.find(({ title }) => title === against)?.by ?? []))
      const against = ['against', ...others].join(' ')
      const head = [scenario, 'by', 'median', 'p99', 'p99.9', 'at that rate', against]
      const facts = `${cpu}, ${cores} cores, load ${load.toFixed(1)}, Node ${node}, ${commit ?? 'no commit'}, ${date}`
      return `${table(head, rowsOf(figures))}\n\n${facts}${quick ? ', quick: few samples' : ''}\n`
    })
}
