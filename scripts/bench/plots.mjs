import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bars, draw, lines, ratios } from './chart.mjs'
import { rate, time } from './text.mjs'

const ours = 'beamline'
const across = 'across two threads'
const cold = `${across}, after 10 ms of idleness`

/** The figures of a run, found by what they are of. */
class Figures {
  #all
  constructor(scenarios, elixir) {
    const mine = scenarios.flatMap(({ scenario, figures }) => figures.map((figure) => ({ ...figure, scenario })))
    this.#all = [...mine, ...elixir.map((figure) => ({ ...figure, by: 'Elixir' }))].filter(
      ({ cannot }) => cannot === undefined,
    )
  }

  of(wanted) {
    return this.#all.filter((figure) =>
      Object.entries(wanted).every(([key, value]) =>
        value instanceof RegExp ? value.test(figure[key]) : figure[key] === value,
      ),
    )
  }
}

const byValue = (rows) => rows.sort((a, b) => a.value - b.value)
const label = (by, where) => (where === undefined ? by : `${by}, ${where}`)

function setToCallback(figures, facts) {
  const rows = [
    ...figures.of({ scenario: 'set-callback', where: across }),
    ...figures.of({ scenario: 'set-callback', where: 'within a thread', by: ours }),
    ...figures.of({ scenario: 'set-callback', by: 'Elixir' }),
  ].map(({ by, where, p50, p99 }) => ({
    name: by === 'Elixir' ? label(by, where.split(/[:,]/)[0]) : label(by, where === across ? undefined : where),
    value: p50,
    mark: p99,
    mine: by === ours,
  }))
  if (rows.length === 0) return undefined
  const title = 'From setting a value to the callback, across two threads'
  return bars({
    title,
    note: facts,
    unit: 'time, logarithmic',
    format: time,
    rows: byValue(rows),
    markName: '99th percentile',
  })
}

function tails(figures, facts) {
  const wanted = [
    ['set → callback', { scenario: 'set-callback', where: across, by: ours }, false],
    ['raw, there and back', { scenario: 'set-callback', where: across, by: 'raw postMessage' }, false],
    ['set → callback, cold', { scenario: 'set-callback-cold', where: cold, by: ours }, true],
    ['raw, cold', { scenario: 'set-callback-cold', where: cold, by: 'raw postMessage' }, true],
  ]
  const series = wanted.flatMap(([name, topic, dashed]) => {
    const [figure] = figures.of(topic)
    if (figure === undefined) return []
    const points = [figure.p50, figure.p75, figure.p99, ...(figure.samples >= 1000 ? [figure.p999] : [])]
    return [{ name, dashed, points: points.map((value, index) => [index, value]) }]
  })
  if (series.length === 0) return undefined
  const names = ['median', '75 %', '99 %', '99.9 %']
  return lines({
    title: 'Tails of set → callback, busy and cold (after 10 ms of idleness)',
    note: facts,
    x: 'done',
    y: 'time, logarithmic',
    format: time,
    series,
    names,
  })
}

function throughput(figures, facts) {
  const found = figures.of({ scenario: 'updates' }).filter(({ where }) => where !== 'within a thread')
  const rows = found.map(({ what, where, by, p50 }) => ({
    name: what.startsWith('raw')
      ? what
      : label(by, by === 'Elixir' ? where : what.replace(/^(\w+) to callback/, '$1 → callback')),
    value: 1e9 / p50,
    mine: by === ours,
    where,
  }))
  if (rows.length === 0) return undefined
  for (const row of rows) if (row.where?.startsWith('watched')) row.name += ', third thread'
  const format = (value) => rate(1e9 / value)
  return bars({
    title: 'Updates a second, each seen by a callback on another thread',
    note: facts,
    unit: 'a second, logarithmic',
    format,
    rows: byValue(rows).reverse(),
  })
}

/** Lines over the sizes of some topics. */
function growth(figures, facts, { title, x, y, topics, ...more }) {
  const series = topics.flatMap(([name, topic, value = ({ p50 }) => p50]) => {
    const found = figures.of(topic).filter(({ size }) => size !== undefined)
    return found.length === 0
      ? []
      : [{ name, dashed: topic.by === 'Elixir', points: found.map((figure) => [figure.size, value(figure)]) }]
  })
  return series.length === 0 ? undefined : lines({ title, note: facts, x, y, format: time, series, ...more })
}

const watchers = (figures, facts) =>
  growth(figures, facts, {
    title: 'A change and its watchers: the time for each, until the last was called',
    x: 'watchers, logarithmic',
    y: 'time for each, logarithmic',
    logX: true,
    topics: [
      ['watchers on another thread', { scenario: 'watchers', where: 'on 1 other thread', by: ours }],
      ['on two other threads', { scenario: 'watchers', where: 'on 2 other threads', by: ours }],
      ['Elixir: a process for each', { scenario: 'watchers', by: 'Elixir' }],
    ],
  })

const variables = (figures, facts) =>
  growth(figures, facts, {
    title: 'A variable among others of its context, on another thread',
    x: 'variables, logarithmic',
    y: 'time, logarithmic',
    logX: true,
    topics: ['set', 'get', 'peek'].map((what) => [what, { scenario: 'variables', what: new RegExp(`^${what},`) }]),
  })

const threads = (figures, facts) =>
  growth(figures, facts, {
    title: 'Messages a second of all threads together',
    x: 'threads that run processes',
    y: 'messages a second',
    logY: false,
    format: (value) => rate(1e9 / value),
    topics: ['each within its thread', 'each to the next thread'].map((where) => [
      where,
      { scenario: 'threads', where },
      ({ p50 }) => 1e9 / p50,
    ]),
  })

function elixir(figures, facts) {
  const rows = figures.of({ by: 'Elixir', unit: /./ }).flatMap((theirs) => {
    const value = ({ p50, value }) => p50 ?? value
    const of = (where) =>
      figures.of({ scenario: theirs.scenario, what: theirs.what, size: theirs.size, by: ours, where })[0]
    const found = [of(/^(across|shared|on another|on 1 other)/), of('within a thread')]
    if (found.every((mine) => mine === undefined)) return []
    const name = theirs.what
      .replace(/, for each.*| of \d+ accounts.*/, '')
      .replace('set to the last callback', 'set → its watchers')
    const [kind] = (theirs.where ?? '').split(/[:,]/)
    return [
      {
        name: [name, theirs.size?.toLocaleString('en'), kind === 'BEAM' || theirs.size ? undefined : `(${kind})`]
          .filter(Boolean)
          .join(' '),
        values: found.map((mine) => mine && value(theirs) / value(mine)),
      },
    ]
  })
  if (rows.length === 0) return undefined
  return ratios({
    title: 'The same programs in Elixir: how many times what they take here they take there',
    note: facts,
    unit: 'right of the middle is won, left of it lost; logarithmic',
    rows,
    series: ['here across threads', 'here within a thread'],
  })
}

const plots = { 'set-callback': setToCallback, tails, throughput, watchers, variables, threads, elixir }

/** Draws what the figures suffice for, into `folder`. @returns the names of the files */
export function drawPlots(scenarios, theirs, folder) {
  const figures = new Figures(scenarios, theirs)
  const [first] = scenarios
  if (first === undefined) return []
  const { cpu, cores, node } = first.machine
  const facts = `${cpu}, ${cores} cores, Node ${node}, ${first.date.slice(0, 10)}`
  mkdirSync(folder, { recursive: true })
  return Object.entries(plots).flatMap(([name, plot]) => {
    const chart = plot(figures, facts)
    const svg = chart && draw(chart)
    if (svg === undefined) return []
    writeFileSync(join(folder, `${name}.svg`), svg)
    return [`${name}.svg`]
  })
}
