import { type BridgeServiceServer, BridgeServiceService } from '../../gen/snakepit/bridge/bridge.js'
import type { BoundService, ServiceDeps } from '../service-deps.js'
import { ToolDesk } from '../tools/tool-desk.js'
import { batchRpcs } from './batch-rpcs.js'
import { dependencyRpcs } from './dependency-rpcs.js'
import { historyRpcs } from './history-rpcs.js'
import { optimizationRpcs } from './optimization-rpcs.js'
import { sessionRpcs } from './session-rpcs.js'
import { toolRpcs } from './tool-rpcs.js'
import { variableRpcs } from './variable-rpcs.js'

/** The service that clients of `snakepit.bridge.BridgeService` know; without `watchVariables` that answers UNIMPLEMENTED. */
export function compatService(deps: ServiceDeps, watches?: Pick<BridgeServiceServer, 'watchVariables'>): BoundService {
  const tools = new ToolDesk(deps)
  const implementation: Omit<BridgeServiceServer, 'watchVariables'> = {
    ...sessionRpcs(deps, tools),
    ...variableRpcs(deps),
    ...batchRpcs(deps),
    ...historyRpcs(deps),
    ...optimizationRpcs(deps),
    ...dependencyRpcs(deps, tools),
    ...toolRpcs(deps, tools),
  }
  return { definition: BridgeServiceService, implementation: { ...implementation, ...watches } }
}
