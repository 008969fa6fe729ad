import { stripVTControlCharacters } from 'node:util'
import { eventText, type TimedEvent } from '../../src/cli/demo/events.js'
import { bar, bytesPerSecond, fit, percent, sparkline, valueText } from '../../src/cli/demo/format.js'
import { JsonView } from '../../src/cli/demo/json-view.js'
import { PlainView, surveyLine } from '../../src/cli/demo/plain-view.js'
import { renderScreen } from '../../src/cli/demo/screen.js'
import { ScreenView } from '../../src/cli/demo/screen-view.js'
import { isClean, type Summary, summaryLines } from '../../src/cli/demo/summary.js'
import type { Survey } from '../../src/cli/demo/survey.js'
import { assert, suite } from '../harness.js'

const test = suite('what the demo shows')

const texts: [text: string, right: string][] = [
  [percent(0), '0.0 %'],
  [percent(62.54), '62.5 %'],
  [bytesPerSecond(0), '0 B/s'],
  [bytesPerSecond(999), '999 B/s'],
  [bytesPerSecond(1500), '1.5 kB/s'],
  [bytesPerSecond(2.5e9), '2.5 GB/s'],
  [bytesPerSecond(5e15), '5000000.0 GB/s'],
  [bar(0, 4), '░░░░'],
  [bar(50, 4), '██░░'],
  [bar(150, 4), '████'],
  [sparkline([0, 50, 100]), '▁▅█'],
  [fit('abc', 5), 'abc  '],
  [fit('abcdef', 4), 'abc…'],
  [fit('abc', 1), '…'],
  [fit('abc', 0), ''],
  [valueText('load', 0.5), '0.50'],
  [valueText('alert', true), 'yes'],
  [valueText('something else', 'Strategies.None'), 'Strategies.None'],
]
for (const [text, right] of texts) test(`'${right}'`, () => assert.is(text, right))

const values = {
  cpu: 50,
  cores: [0, 100],
  load: 0.74,
  memory: 25,
  net_in: 1500,
  net_out: 20,
  loop_delay: 0.25,
  cpu_smooth: 48,
  smoothing: 'Strategies.None',
  load_level: 'normal',
  alert: true,
  audited: 1,
}
const survey: Survey = {
  seconds: 12.34,
  rows: Object.entries(values).map(([name, value]) => ({ name, value, version: 7, watchers: 2 })),
  commits: 500,
  commitsPerSecond: 41.7,
  messagesPerSecond: 200.2,
  tally: { delivered: 1200, expected: 1200, lost: 0, repeated: 0 },
  observers: 8,
  removedByDeath: 1,
  processes: 15,
  threads: { main: 1, scheduler: 3, system: 1, isolated: 1 },
}
const events: TimedEvent[] = [
  { kind: 'strategy', name: 'Strategies.None', at: 1 },
  { kind: 'level', from: 'idle', to: 'busy', at: 2 },
  { kind: 'alert', raised: true, at: 3 },
  { kind: 'alert', raised: false, at: 4 },
  { kind: 'watching', pid: '#1', observers: 3, at: 5 },
  { kind: 'hanging', pid: '#1', observers: 3, at: 6 },
  { kind: 'killed', pid: '#1', downMs: 2.345, observers: 2, at: 7 },
  { kind: 'crashed', pid: '#2', reason: '"oops"', at: 8 },
]

test('the screen shows values, versions, watchers, rates, threads and events', () => {
  const lines = renderScreen(survey, events, { width: 80, height: 40, color: false })
  const row = (start: string) => lines.find((line) => line.startsWith(start))
  assert.match(row('beamline demo') ?? '', /12\.3 s/)
  assert.is(row('cpu '), 'cpu         ██████████░░░░░░░░░░  50.0 %            7         2')
  assert.is(row('smoothing'), 'smoothing   Strategies.None                         7         2')
  assert.ok(lines.includes('500 commits, 42 a second   200 messages a second'))
  assert.ok(lines.includes('1200 notifications audited, 0 lost, 0 repeated   8 observers, 1 removed on death'))
  assert.ok(lines.includes('6 threads: main, 3 shared, 1 system, 1 isolated   15 processes'))
  assert.equal(
    lines.slice(-events.length).map((line) => line.slice(10)),
    events.map(eventText),
  )
})

for (const [width, height] of [
  [80, 24],
  [40, 10],
  [10, 3],
  [1, 1],
  [200, 100],
] as const) {
  test(`the screen fits ${width} columns and ${height} rows, the newest event last`, () => {
    const lines = renderScreen(survey, events, { width, height, color: true }).map((line) =>
      stripVTControlCharacters(line),
    )
    assert.ok(lines.length <= height)
    assert.ok(lines.every((line) => line.length <= width))
    if (height >= 24) assert.match(lines.at(-1) ?? '', /#2 has crashed/)
  })
}

test('colours only where they are wanted', () => {
  const render = (color: boolean) => renderScreen(survey, events, { width: 80, height: 40, color })
  assert.equal(
    render(true).map((line) => stripVTControlCharacters(line)),
    render(false),
  )
  assert.not.equal(render(true), render(false))
})

test('a survey in one line', () => {
  const line = surveyLine(survey)
  assert.is(
    line,
    '  12.3 s  cpu 50.0 %, smooth 48.0 %, normal | memory 25.0 % | load 0.74 | net 1.5 kB/s in, 20 B/s out | ' +
      'loop +0.3 ms | 42 commits/s, 200 messages/s | 8 observers | lost 0',
  )
})

const summary: Summary = {
  seconds: 8,
  commits: 330,
  delivered: 1200,
  expected: 1200,
  lost: 0,
  repeated: 0,
  observersRemoved: 2,
  killMs: [2.3, 4],
  strategySwitches: 3,
  levelChanges: 9,
  alerts: 2,
  crashed: 0,
}

test('the summary', () => {
  assert.equal(summaryLines(summary), [
    'what was seen in 8.0 s:',
    '  commits: 330',
    '  notifications delivered: 1200 of 1200',
    '  lost: 0',
    '  repeated: 0',
    '  observers removed on death: 2',
    '  kill to DOWN: 2.3 ms, 4.0 ms',
    '  strategy switches: 3',
    '  load level changes: 9',
    '  alerts: 2',
  ])
  const unlucky = summaryLines({ ...summary, killMs: [], crashed: 1 })
  assert.ok(unlucky.includes('  kill to DOWN: nothing was killed'))
  assert.ok(unlucky.includes('  processes that crashed: 1'))
})

test('a run is clean when nothing was lost, repeated or crashed', () => {
  assert.ok(isClean(summary))
  for (const key of ['lost', 'repeated', 'crashed'] as const) assert.not.ok(isClean({ ...summary, [key]: 1 }))
})

test('the plain and the JSON view print lines; without a summary, none at the end', () => {
  const plain: string[] = []
  const json: string[] = []
  for (const view of [new PlainView((line) => plain.push(line)), new JsonView((line) => json.push(line))]) {
    view.survey(survey)
    for (const event of events) view.event(event)
    view.end()
    view.end(summary)
  }
  assert.is(plain.length, 1 + events.length + summaryLines(summary).length)
  const objects = json.map((line) => JSON.parse(line))
  assert.equal(
    objects.map(({ type }) => type),
    ['survey', ...events.map(() => 'event'), 'summary'],
  )
  assert.equal(objects.at(-1), { type: 'summary', ...summary })
})

test('the screen view draws in place and gives the terminal back', () => {
  let output = ''
  const terminal = {
    columns: 0,
    rows: 0,
    hasColors: () => false,
    write: (text: string) => {
      output += text
      return true
    },
  }
  const exits = process.listenerCount('exit')
  const view = new ScreenView(terminal)
  assert.is(output, '\x1b[?1049h\x1b[?25l')
  for (const event of events) view.event(event)
  view.survey(survey)
  view.survey(survey)
  assert.is(output.split('\x1b[H').length, 3)
  view.end(summary)
  assert.ok(output.includes('\x1b[?25h\x1b[?1049lwhat was seen in 8.0 s:\n'))
  assert.is(process.listenerCount('exit'), exits)
})

test.run()
