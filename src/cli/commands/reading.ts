import type { Command } from 'commander'
import type { VariableInfo } from '../../variables/change.js'
import { type ConnectionOptions, describeConnection, parseCount, withSession } from './connection.js'
import { CommandFailure, conclude, exitCodes } from './outcome.js'
import { jsonOf, textOf } from './value-text.js'

const print = (line: string) => process.stdout.write(`${line}\n`)

/** Makes `command` print values. */
export function describeGet(command: Command): void {
  describeConnection(command)
    .description('print the values of variables of a session behind a bridge')
    .argument('<names...>', 'the variables')
    .action((names: string[], options: ConnectionOptions) =>
      conclude('get', () =>
        withSession(options, async (ctx, within) => {
          const infos = await within(Promise.all(names.map((name) => ctx.describe(name))))
          for (const info of infos)
            if (options.json) print(lineOf(info))
            else print(infos.length === 1 ? textOf(info.value) : `${info.name} = ${textOf(info.value)}`)
          return exitCodes.ok
        }),
      ),
    )
}

/** Makes `command` print the variables of a session. */
export function describeList(command: Command): void {
  describeConnection(command)
    .description('print the variables of a session behind a bridge')
    .argument('[pattern]', "only those whose name it matches; '*' stands for any characters", '*')
    .action((pattern: string, options: ConnectionOptions) =>
      conclude('list', () =>
        withSession(options, async (ctx, within) => {
          const infos = await within(ctx.list(pattern))
          if (options.json) for (const info of infos) print(lineOf(info))
          else for (const line of table(infos)) print(line)
          return exitCodes.ok
        }),
      ),
    )
}

/** Makes `command` print the earlier values of a variable. */
export function describeHistory(command: Command): void {
  describeConnection(command)
    .description('print the kept values of a variable, oldest first')
    .argument('<name>', 'the variable')
    .option('-n, --limit <count>', 'only the newest so many', parseCount)
    .action((name: string, options: ConnectionOptions & { readonly limit?: number }) =>
      conclude('history', () =>
        withSession(options, async (ctx, within) => {
          const { limit } = options
          if (limit === 0) throw new CommandFailure(exitCodes.usage, '--limit is 0: give 1 or more')
          for (const entry of await within(ctx.history(name, limit === undefined ? {} : { limit }))) {
            const { version, value, revision, timestamp, metadata } = entry
            if (options.json) print(jsonOf({ name, version, value, revision, timestamp, metadata }))
            else print(`${new Date(timestamp).toISOString()}  version ${version}  ${textOf(value)}`)
          }
          return exitCodes.ok
        }),
      ),
    )
}

const lineOf = ({ name, type, value, version, revision, updatedAt }: VariableInfo): string =>
  jsonOf({ name, type, value, version, revision, updatedAt })

function table(infos: readonly VariableInfo[]): string[] {
  const rows = infos.map(({ name, type, version, value }) => [name, type, `v${version}`, textOf(value)])
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] as string).length)))
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
}
