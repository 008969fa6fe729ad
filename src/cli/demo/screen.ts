import { styleText } from 'node:util'
import { eventText, type TimedEvent } from './events.js'
import { fit, valueText } from './format.js'
import type { Row, Survey } from './survey.js'

/** How much room there is, and whether it takes colours. */
export interface ScreenOptions {
  readonly width: number
  readonly height: number
  readonly color: boolean
}

type Style = Parameters<typeof styleText>[0]
interface Line {
  readonly text: string
  readonly style?: Style | undefined
}

/** The demo as a table that fits the screen: as many lines as there is room for, none too wide. */
export function renderScreen(survey: Survey, events: readonly TimedEvent[], options: ScreenOptions): string[] {
  const { width, height, color } = options
  const lines: Line[] = [
    { text: `beamline demo   ${survey.seconds.toFixed(1)} s   Ctrl-C ends it`, style: 'bold' },
    { text: '' },
    { text: columns(width, 'VARIABLE', 'VALUE', 'VERSION', 'WATCHERS'), style: 'underline' },
    ...survey.rows.map((row) => ({ text: rowText(width, row), style: rowStyle(row) })),
    { text: '' },
    { text: activity(survey) },
    { text: bookkeeping(survey), style: survey.tally.lost + survey.tally.repeated > 0 ? 'red' : 'green' },
    { text: threads(survey) },
    { text: '' },
  ]
  const room = Math.max(0, height - lines.length)
  const recent = room === 0 ? [] : events.slice(-room)
  const all = [...lines, ...recent.map((event) => ({ text: timed(event), style: eventStyle(event) }))]
  return all.slice(0, height).map(({ text, style }) => paint(fit(text, width).trimEnd(), color ? style : undefined))
}

/** An event with its time. */
export function timed(event: TimedEvent): string {
  return `${event.at.toFixed(1).padStart(6)} s  ${eventText(event)}`
}

/** On a narrow screen the values give way first. */
function columns(width: number, name: string, value: string, version: string, watchers: string): string {
  const room = Math.min(32, Math.max(10, width - 31))
  return `${fit(name, 12)}${fit(value, room)}${version.padStart(9)}${watchers.padStart(10)}`
}

function rowText(width: number, { name, value, version, watchers }: Row): string {
  return columns(width, name, valueText(name, value), String(version), String(watchers))
}

function activity({ commits, commitsPerSecond, messagesPerSecond }: Survey): string {
  return `${commits} commits, ${commitsPerSecond.toFixed(0)} a second   ${messagesPerSecond.toFixed(0)} messages a second`
}

function bookkeeping({ tally, observers, removedByDeath }: Survey): string {
  const { delivered, lost, repeated } = tally
  return `${delivered} notifications audited, ${lost} lost, ${repeated} repeated   ${observers} observers, ${removedByDeath} removed on death`
}

function threads({ threads: { main, scheduler, system, isolated }, processes }: Survey): string {
  const total = main + scheduler + system + isolated
  return `${total} threads: main, ${scheduler} shared, ${system} system, ${isolated} isolated   ${processes} processes`
}

const levelStyles: Readonly<Record<string, Style>> = {
  idle: 'gray',
  normal: 'green',
  busy: 'yellow',
  overloaded: 'red',
}

function rowStyle({ name, value }: Row): Style | undefined {
  if (name === 'load_level') return levelStyles[String(value)]
  return name === 'alert' && value === true ? 'red' : undefined
}

function eventStyle({ kind }: TimedEvent): Style {
  return kind === 'killed' || kind === 'hanging' ? 'magenta' : kind === 'crashed' || kind === 'alert' ? 'red' : 'gray'
}

function paint(text: string, style: Style | undefined): string {
  return style === undefined || text === '' ? text : styleText(style, text, { validateStream: false })
}
