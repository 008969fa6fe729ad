import { once } from 'node:events'
import { type Command, InvalidArgumentError } from 'commander'
import type { ChangeMeta } from '../../variables/change.js'
import type { Context } from '../../variables/context.js'
import type { WatchOptions } from '../../variables/watch-options.js'
import { Ending } from '../demo/ending.js'
import { type ConnectionOptions, describeConnection, parseCount, withSession } from './connection.js'
import { CommandFailure, conclude, exitCodes } from './outcome.js'
import { jsonOf, textOf } from './value-text.js'

interface WatchingOptions extends ConnectionOptions {
  readonly fromRevision?: number
  readonly initial?: boolean
  readonly latest?: boolean
  readonly count?: number
}

/** Makes `command` print changes as they come. */
export function describeWatch(command: Command): void {
  describeConnection(command)
    .description('print changes as they come, until Ctrl-C; over an outage of the bridge it goes on where it was')
    .argument('[names...]', 'the variables; all that there are unless some are named')
    .option('-i, --initial', 'first the present values')
    .option('-r, --from-revision <revision>', 'first every change after this revision', parseCount)
    .option('-l, --latest', 'only the newest value of each variable when they come faster than they can be printed')
    .option('-n, --count <count>', 'end after so many changes', parsePositive)
    .action((names: string[], options: WatchingOptions) =>
      conclude('watch', () => {
        if (options.initial && options.fromRevision !== undefined)
          throw new CommandFailure(exitCodes.usage, '--initial and --from-revision exclude each other: give one')
        return withSession(options, (ctx, within) => watch(ctx, names, options, within))
      }),
    )
}

async function watch(
  ctx: Context,
  names: readonly string[],
  options: WatchingOptions,
  within: <T>(answer: Promise<T>) => Promise<T>,
): Promise<number> {
  const watched = names.length > 0 ? names : (await within(ctx.list())).map(({ name }) => name)
  if (watched.length === 0)
    throw new CommandFailure(exitCodes.notFound, `the session ${ctx.id} has no variables: name those to come`)
  const { json = false, count = Number.POSITIVE_INFINITY, fromRevision, initial, latest } = options
  let left = count
  let failure: unknown
  using ending = new Ending(Number.POSITIVE_INFINITY)
  const done = new AbortController()
  const over = AbortSignal.any([ending.signal, done.signal])
  const said: WatchOptions = {
    includeInitial: initial ?? false,
    ...(fromRevision !== undefined && { sinceRevision: fromRevision }),
    ...(latest && { delivery: 'latest' }),
    onError: (error) => {
      failure = error
      done.abort()
    },
    onResync: (lost) => {
      if (json) process.stdout.write(`${jsonOf({ resync: lost })}\n`)
      else
        process.stderr.write(`revisions ${lost.lostFrom} to ${lost.lostTo} are lost (${lost.reason}); what is now:\n`)
    },
  }
  const begun = ctx.watch(
    watched,
    async (name, previous, value, meta) => {
      if (left <= 0) return
      left -= 1
      if (left <= 0) done.abort()
      // A reader that is slow is waited for, so that memory does not grow instead.
      await print(json ? jsonLine(name, previous, value, meta) : textLine(name, previous, value, meta))
    },
    said,
  )
  const running = await within(begun)
  if (!over.aborted) await once(over, 'abort')
  if (failure !== undefined) throw failure
  await running.stop()
  return exitCodes.ok
}

function jsonLine(name: string, previous: unknown, value: unknown, meta: ChangeMeta): string {
  return jsonOf({ name, previous, value, meta })
}

function textLine(name: string, previous: unknown, value: unknown, meta: ChangeMeta): string {
  const { revision, version, source, initial, resync, deleted } = meta
  const mark = initial ? ', initial' : resync ? ', resync' : ''
  if (deleted) return `${name} deleted  (revision ${revision}, ${source})`
  const before = previous === undefined ? '' : `${textOf(previous)} → `
  return `${name} ${before}${textOf(value)}  (revision ${revision}, version ${version}, ${source}${mark})`
}

function print(line: string): Promise<void> | undefined {
  if (process.stdout.write(`${line}\n`)) return undefined
  return new Promise((resolve) => process.stdout.once('drain', resolve))
}

function parsePositive(text: string): number {
  const count = parseCount(text)
  if (count > 0) return count
  throw new InvalidArgumentError('Give a whole number above 0.')
}
