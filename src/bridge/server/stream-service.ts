import type { BoundService, ServiceDeps } from './service-deps.js'

/** The native service: one stream for each client. */
export function streamService(_deps: ServiceDeps): BoundService {
  return { definition: {}, implementation: {} }
}
