import { type Command, InvalidArgumentError } from 'commander'
import { ActorSystem } from '../../actors/system.js'
import { Bridge } from '../../bridge/client/bridge.js'
import { Context } from '../../variables/context.js'
import { type CredentialOptions, describeCredentials, tlsOf, tokenOf } from './credentials.js'
import { CommandFailure, exitCodes } from './outcome.js'

export interface ConnectionOptions extends CredentialOptions {
  readonly address: string
  readonly session: string
  readonly timeout: number
  readonly json?: boolean
}

export const DEFAULT_ADDRESS = '127.0.0.1:50051'

/** Adds which session of which bridge. */
export function describeConnection(command: Command): Command {
  command
    .option('-a, --address <address>', 'where the bridge listens: host:port, or unix:/path', DEFAULT_ADDRESS)
    .option('-s, --session <id>', 'the session', 'default')
    .option('-t, --timeout <seconds>', 'how long an answer may take', parseSeconds, 5)
    .option('--json', 'print one JSON object a line')
  return describeCredentials(command)
}

/** What a command does with its session; `within` limits how long an answer may take. */
type Work = (ctx: Context, within: <T>(answer: Promise<T>) => Promise<T>) => Promise<number>

/**
 * Does something with a session behind a bridge, and leaves nothing open.
 * @throws CommandFailure when the bridge cannot be reached, or does not answer in time
 */
export async function withSession(options: ConnectionOptions, work: Work, create = false): Promise<number> {
  const { address, session: id, timeout } = options
  const [token, tls] = [tokenOf(options), tlsOf(options)]
  await using system = await ActorSystem.start({ threads: 1 })
  const credentials = { ...(token !== undefined && { token }), ...(tls !== undefined && { tls }) }
  const bridge = await Bridge.connect(system, address, { ...credentials, timeout: timeout * 1000 })
  const within = <T>(answer: Promise<T>): Promise<T> =>
    race(answer, timeout, () =>
      bridge.state === 'ready'
        ? new CommandFailure(exitCodes.timeout, `no answer within ${timeout} s: give it longer with --timeout`)
        : new CommandFailure(
            exitCodes.unreachable,
            `no bridge answers at ${address}: start one with 'beamline serve --address ${address}', or say with --address where it is`,
          ),
    )
  const context = await within(Context.start(system, { id, bridge, create }))
  return await work(context, within)
}

async function race<T>(answer: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), seconds * 1000)
  })
  try {
    return await Promise.race([answer, end])
  } finally {
    clearTimeout(timer)
  }
}

function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() !== '' && seconds > 0 && seconds <= 86_400) return seconds
  throw new InvalidArgumentError('Give a number of seconds above 0, at most 86400.')
}

export function parseCount(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(count)) return count
  throw new InvalidArgumentError('Give a whole number, 0 or more.')
}
