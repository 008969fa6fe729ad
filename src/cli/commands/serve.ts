import { once } from 'node:events'
import type { Command } from 'commander'
import { ActorSystem } from '../../actors/system.js'
import { BridgeServer } from '../../bridge/server/bridge-server.js'
import type { BridgeServerOptions } from '../../bridge/server/server-options.js'
import { BeamlineError } from '../../errors.js'
import { Ending } from '../demo/ending.js'
import { DEFAULT_ADDRESS, parseCount } from './connection.js'
import { type CredentialOptions, describeCredentials, tlsOf, tokenOf } from './credentials.js'
import { CommandFailure, conclude, exitCodes } from './outcome.js'

interface ServeOptions extends CredentialOptions {
  readonly address: string
  readonly session: readonly string[]
  readonly grace: number
  readonly json?: boolean
}

const collect = (id: string, ids: readonly string[]): readonly string[] => [...ids, id]

/** Makes `command` run a bridge until it is asked to end. */
export function describeServe(command: Command): void {
  command
    .description('run a node with a bridge, until Ctrl-C or SIGTERM')
    .option('-a, --address <address>', 'where to listen: host:port, :0 for any port, or unix:/path', DEFAULT_ADDRESS)
    .option('-s, --session <id>', 'make this session at once; may be repeated', collect, [])
    .option('-g, --grace <ms>', 'how long clients have, at the end, to take what is committed', parseCount, 5000)
    .option('--json', 'print the address as a JSON object')
  describeCredentials(command).action((options: ServeOptions) => conclude('serve', () => serve(options)))
}

async function serve(options: ServeOptions): Promise<number> {
  const { address, session, grace, json } = options
  const [token, tls] = [tokenOf(options), serverTlsOf(options)]
  using ending = new Ending(Number.POSITIVE_INFINITY)
  await using system = await ActorSystem.start()
  const server = await start(system, {
    address,
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  })
  for (const id of session) await server.sessions.create(id)
  process.stdout.write(json ? `${JSON.stringify({ address: server.address })}\n` : `listening on ${server.address}\n`)
  if (!ending.signal.aborted) await once(ending.signal, 'abort')
  process.stderr.write(`draining, for at most ${grace} ms; ask again to end at once\n`)
  await server.stop({ grace })
  return exitCodes.ok
}

async function start(system: ActorSystem, options: BridgeServerOptions): Promise<BridgeServer> {
  try {
    return await BridgeServer.start(system, options)
  } catch (error) {
    // It is this program that cannot be reached, not another one.
    if (error instanceof BeamlineError && (error.code === 'UNAVAILABLE' || error.code === 'NOT_FOUND'))
      throw new CommandFailure(exitCodes.failure, error.message)
    throw error
  }
}

function serverTlsOf(options: CredentialOptions) {
  const tls = tlsOf(options)
  if (tls === undefined) return undefined
  const { cert, key, ...rest } = tls
  // An authority would mean nothing to a server that does not ask clients for their certificates.
  if (cert !== undefined && key !== undefined) return { cert, key, ...rest, requestClientCert: rest.ca !== undefined }
  throw new CommandFailure(
    exitCodes.usage,
    '--tls-ca alone is for clients: a bridge needs --tls-cert and --tls-key too',
  )
}
