import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { CommandFailure, exitCodes } from './outcome.js'

export interface CredentialOptions {
  readonly token?: string
  readonly tokenFile?: string
  readonly tlsCert?: string
  readonly tlsKey?: string
  readonly tlsCa?: string
}

/** Adds how one proves who one is. */
export function describeCredentials(command: Command): Command {
  return command
    .option('--token <token>', 'the bearer token; other users of this machine can see it, so better:')
    .option('--token-file <file>', 'a file that holds the token (or set BEAMLINE_TOKEN)')
    .option('--tls-cert <file>', 'a certificate, PEM')
    .option('--tls-key <file>', 'its private key, PEM')
    .option('--tls-ca <file>', 'the certificate authority that the other side must have a certificate of, PEM')
}

/** The token, from the first place that has one; an empty one is a mistake, and never means that none is asked for. */
export function tokenOf({ token, tokenFile }: CredentialOptions): string | undefined {
  if (token !== undefined) return notEmpty(token, '--token is empty: give the token')
  if (tokenFile !== undefined)
    return notEmpty(
      read(tokenFile, '--token-file').toString('utf8').trim(),
      `--token-file ${tokenFile} is empty: put the token in it`,
    )
  const told = process.env['BEAMLINE_TOKEN']
  return told === undefined ? undefined : notEmpty(told, 'BEAMLINE_TOKEN is empty: set it to the token, or unset it')
}

function notEmpty(token: string, complaint: string): string {
  if (token.trim() !== '') return token
  throw new CommandFailure(exitCodes.usage, complaint)
}

/** What the files hold; `undefined` when none was named. */
export function tlsOf({ tlsCert, tlsKey, tlsCa }: CredentialOptions) {
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw new CommandFailure(exitCodes.usage, '--tls-cert and --tls-key belong together: give both')
  if (tlsCert === undefined && tlsCa === undefined) return undefined
  return {
    ...(tlsCert !== undefined && { cert: read(tlsCert, '--tls-cert') }),
    ...(tlsKey !== undefined && { key: read(tlsKey, '--tls-key') }),
    ...(tlsCa !== undefined && { ca: read(tlsCa, '--tls-ca') }),
  }
}

function read(file: string, option: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new CommandFailure(exitCodes.usage, `${option} ${file} cannot be read: ${(error as Error).message}`)
  }
}
