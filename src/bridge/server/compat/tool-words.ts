import { BeamlineError } from '../../../errors.js'
import type { ExecuteToolRequest } from '../../gen/snakepit/bridge/bridge.js'
import { decodeParameter } from '../../wire/any-codec.js'
import { reasonOf } from '../../wire/status.js'

export const noTool = (tool: string, session: string): string => `Tool ${tool} not found for session ${session}`

export const comesBack = (tool: string): string =>
  `Tool ${tool} leads back to a server that has called it: register it with the address of its worker`

/** What gRPC says of a call that has failed. */
export function wordsOf(error: unknown): string {
  const { details, message } = error as { details?: string; message?: string }
  return details ?? message ?? String(error)
}

/** @throws BeamlineError INVALID_TYPE, naming the parameter */
export function readParameters({
  parameters,
  binaryParameters,
}: Pick<ExecuteToolRequest, 'parameters' | 'binaryParameters'>): Record<string, unknown> {
  const read: [string, unknown][] = Object.entries(binaryParameters).map(([name, bytes]) => [
    name,
    new Uint8Array(bytes),
  ])
  for (const [name, packed] of Object.entries(parameters)) {
    try {
      read.push([name, decodeParameter(packed, binaryParameters[name])])
    } catch (error) {
      if (!(error instanceof BeamlineError)) throw error
      throw new BeamlineError('INVALID_TYPE', `parameter ${name}: ${reasonOf(error)}`, { details: { name } })
    }
  }
  return Object.fromEntries(read)
}
