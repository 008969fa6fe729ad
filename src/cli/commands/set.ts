import { type Command, InvalidArgumentError } from 'commander'
import { BeamlineError } from '../../errors.js'
import type { VariableInfo } from '../../variables/change.js'
import type { Context } from '../../variables/context.js'
import type { TypeName } from '../../variables/types/value-types.js'
import { type ConnectionOptions, describeConnection, parseCount, withSession } from './connection.js'
import { conclude, exitCodes } from './outcome.js'
import { jsonOf, parseValue, textOf } from './value-text.js'

interface SetOptions extends ConnectionOptions {
  readonly define?: TypeName
  readonly expect?: number
  readonly metadata?: Readonly<Record<string, unknown>>
}

/** Makes `command` write a value. */
export function describeSet(command: Command): void {
  describeConnection(command)
    .description('write a value; a text variable takes it as it stands, every other as JSON')
    .argument('<name>', 'the variable')
    .argument('<value>', 'what it is to be')
    .option('-d, --define <type>', 'define the variable, and make the session, unless they are there')
    .option('-e, --expect <version>', 'only if this is its version', parseCount)
    .option('-m, --metadata <json>', 'what its watches are to be told with it', parseMetadata)
    .action((name: string, word: string, options: SetOptions) =>
      conclude('set', () =>
        withSession(
          options,
          async (ctx, within) => {
            const [value, version, revision] = await within(write(ctx, name, word, options))
            const told = { name, value, version, revision }
            process.stdout.write(
              options.json
                ? `${jsonOf(told)}\n`
                : `${name} = ${textOf(value)}  (version ${version}, revision ${revision})\n`,
            )
            return exitCodes.ok
          },
          options.define !== undefined,
        ),
      ),
    )
}

async function write(
  ctx: Context,
  name: string,
  word: string,
  { define, expect, metadata }: SetOptions,
): Promise<[value: unknown, version: number, revision: number]> {
  const info = await ctx.describe(name).catch((error: unknown) => {
    if (define !== undefined && error instanceof BeamlineError && error.code === 'NOT_FOUND') return undefined
    throw error
  })
  if (info === undefined && define !== undefined) {
    const value = parseValue(word, { name, type: define, base: define })
    await ctx.define(name, define, value as never, metadata === undefined ? {} : { metadata })
    const defined: VariableInfo = await ctx.describe(name)
    return [defined.value, defined.version, defined.revision]
  }
  const value = parseValue(word, info as VariableInfo)
  const said = { source: 'cli', ...metadata }
  const { version, revision } = await ctx.set(
    name,
    value,
    said,
    expect === undefined ? {} : { expectedVersion: expect },
  )
  return [value, version, revision]
}

function parseMetadata(text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new InvalidArgumentError(`Give a JSON object, such as '{"reason":"test"}'.`)
}
