import { BeamlineError } from '../../../errors.js'
import type { HistoryEntry } from '../../../variables/change.js'
import type { TypeName } from '../../../variables/types/value-types.js'
import type { BridgeServiceServer, VariableHistoryEntry } from '../../gen/snakepit/bridge/bridge.js'
import { encodeAny } from '../../wire/any-codec.js'
import { encodeMetadata, encodeVariable } from '../../wire/variable-codec.js'
import type { ServiceDeps } from '../service-deps.js'
import { answering, sessionFor, within } from './answering.js'
import { find } from './identifiers.js'

type Rpcs = Pick<BridgeServiceServer, 'getVariableHistory' | 'rollbackVariable'>

export function historyRpcs(deps: ServiceDeps): Rpcs {
  return {
    getVariableHistory: answering(async ({ sessionId, variableIdentifier, limit }, call) => {
      if (limit < 0) throw new BeamlineError('INVALID_TYPE', `limit is ${limit}: give 0 for all, or more`)
      const session = await sessionFor(deps, call, sessionId, 'read')
      return within(session, async ({ context }) => {
        const { name, base } = await find(context, variableIdentifier)
        const entries = await context.history(name, limit === 0 ? {} : { limit })
        return { entries: entries.map((entry) => encodeEntry(entry, base)) }
      })
    }),

    rollbackVariable: answering(async ({ sessionId, variableIdentifier, targetVersion }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'write')
      return within(session, async ({ context }) => {
        const { name } = await find(context, variableIdentifier)
        await context.rollback(name, targetVersion)
        return { success: true, variable: encodeVariable(await context.describe(name)), errorMessage: '' }
      })
    }),
  }
}

function encodeEntry({ version, value, timestamp, metadata }: HistoryEntry, base: TypeName): VariableHistoryEntry {
  return {
    version,
    value: encodeAny(value, base).value,
    timestamp: new Date(timestamp),
    changedBy: String(metadata['source'] ?? ''),
    metadata: encodeMetadata(metadata),
  }
}
