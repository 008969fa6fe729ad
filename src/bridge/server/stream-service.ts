import { WatchServiceService } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { BoundService, ServiceDeps } from './service-deps.js'

/** The native service: one stream for each client. */
export function streamService(_deps: ServiceDeps): BoundService {
  return { definition: WatchServiceService, implementation: {} }
}
