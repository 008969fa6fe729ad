import { BridgeServiceService } from '../../gen/snakepit/bridge/bridge.js'
import type { BoundService, ServiceDeps } from '../service-deps.js'

/** The service that clients of `snakepit.bridge.BridgeService` know. */
export function compatService(_deps: ServiceDeps): BoundService {
  return { definition: BridgeServiceService, implementation: {} }
}
