import { BeamlineError } from '../../../errors.js'
import type { BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import { encodeAny } from '../../wire/any-codec.js'
import type { ServiceDeps } from '../service-deps.js'
import { answering, sessionFor, within } from './answering.js'
import { find } from './identifiers.js'

type Rpcs = Pick<BridgeServiceServer, 'startOptimization' | 'stopOptimization'>

/** Where a caller may say whose optimization it ends. */
const OPTIMIZATION_HEADER = 'x-optimization-id'

export function optimizationRpcs(deps: ServiceDeps): Rpcs {
  return {
    /** Its answer is what the writes of the optimizer carry, as `optimization_id` in their metadata. */
    startOptimization: answering(async ({ sessionId, variableIdentifier, optimizerId }, call) => {
      if (optimizerId === '') throw new BeamlineError('INVALID_TYPE', 'optimizer_id is empty: say who optimizes')
      const session = await sessionFor(deps, call, sessionId, 'optimize')
      return within(session, async ({ context }) => {
        const { name } = await find(context, variableIdentifier)
        const { token } = await context.lease(name, optimizerId)
        return { success: true, errorMessage: '', optimizationId: String(token) }
      })
    }),

    /** Anyone who may optimize may end it; one who says which optimization ends only that, unless by force. */
    stopOptimization: answering(async ({ sessionId, variableIdentifier, force }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'optimize')
      const [said] = call.metadata.get(OPTIMIZATION_HEADER)
      return within(session, async ({ context }) => {
        const { name, base } = await find(context, variableIdentifier)
        const wasOn = await context.release(
          name,
          force || said === undefined ? { force: true } : { token: Number(said) },
        )
        const { value } = await context.describe(name)
        return { success: wasOn || force, finalValue: encodeAny(value, base).value }
      })
    }),
  }
}
