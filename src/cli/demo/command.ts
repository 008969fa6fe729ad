import { type Command, InvalidArgumentError } from 'commander'
import { runDemo } from './demo.js'
import { Ending } from './ending.js'
import { JsonView } from './json-view.js'
import { PlainView } from './plain-view.js'
import { ScreenView } from './screen-view.js'
import { isClean } from './summary.js'
import type { View } from './view.js'

interface DemoOptions {
  readonly seconds?: number
  readonly json?: boolean
}

const MAX_SECONDS = 7 * 24 * 60 * 60

/** Makes `command` the demo. */
export function describeDemo(command: Command): Command {
  return command
    .description('watch this machine live: processes on worker threads around one context of variables')
    .option('-s, --seconds <number>', 'end after so many seconds (default: 8; on a terminal, at Ctrl-C)', parseSeconds)
    .option('--json', 'print one JSON object a line, the last one being the summary')
    .action(async (options: DemoOptions) => {
      process.exitCode = await demo(options)
    })
}

async function demo({ seconds, json = false }: DemoOptions): Promise<number> {
  const onScreen = process.stdout.isTTY && process.env['TERM'] !== 'dumb' && !json
  using ending = new Ending(seconds ?? (onScreen ? Number.POSITIVE_INFINITY : 8))
  const view = onScreen ? new ScreenView(process.stdout) : lineView(json)
  try {
    const summary = await runDemo(view, ending)
    view.end(summary)
    return isClean(summary) ? 0 : 1
  } catch (error) {
    view.end()
    throw error
  }
}

function lineView(json: boolean): View {
  const print = (line: string) => process.stdout.write(`${line}\n`)
  return json ? new JsonView(print) : new PlainView(print)
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= MAX_SECONDS) return seconds
  throw new InvalidArgumentError(`Give a number above 0, at most ${MAX_SECONDS} (a week), such as 8.`)
}
