import { type BridgeServiceServer, BridgeServiceService } from '../../gen/snakepit/bridge/bridge.js'
import type { BoundService, ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import { type Keepsake, Keepsakes } from '../tools/keepsakes.js'
import { ToolDesk } from '../tools/tool-desk.js'
import { batchRpcs } from './batch-rpcs.js'
import { DependencyDesk, dependencyRpcs } from './dependency-rpcs.js'
import { historyRpcs } from './history-rpcs.js'
import { optimizationRpcs } from './optimization-rpcs.js'
import { sessionRpcs } from './session-rpcs.js'
import { toolRpcs } from './tool-rpcs.js'
import { variableRpcs } from './variable-rpcs.js'

/** The service that clients of `snakepit.bridge.BridgeService` know; without `watchVariables` that answers UNIMPLEMENTED. */
export function compatService(deps: ServiceDeps, watches?: Pick<BridgeServiceServer, 'watchVariables'>): BoundService {
  const tools = new ToolDesk(deps)
  const dependencies = new DependencyDesk(tools)
  const keepsakes = new Keepsakes(deps)
  tools.ready = arrangeAgain(keepsakes, tools, dependencies)
  const implementation: Omit<BridgeServiceServer, 'watchVariables'> = {
    ...sessionRpcs(deps, tools),
    ...variableRpcs(deps),
    ...batchRpcs(deps),
    ...historyRpcs(deps),
    ...optimizationRpcs(deps),
    ...dependencyRpcs(deps, dependencies, keepsakes),
    ...toolRpcs(deps, tools, keepsakes),
  }
  return { definition: BridgeServiceService, implementation: { ...implementation, ...watches } }
}

/** What was arranged before the server's thread died. Without the host's process there is nothing, and soon no server. */
function arrangeAgain(keepsakes: Keepsakes, tools: ToolDesk, dependencies: DependencyDesk): Promise<void> {
  const again = async (session: Session, keepsake: Keepsake): Promise<void> => {
    if (keepsake.kind === 'tool') tools.register(session, [keepsake.registration], keepsake.workerId)
    else await dependencies.add(session, keepsake.from, keepsake.to, keepsake.type)
  }
  return keepsakes.restore(again).catch(() => {})
}
