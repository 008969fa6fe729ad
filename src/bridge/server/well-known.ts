import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Server, ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js'
import { HealthImplementation } from 'grpc-health-check'
import type { Admission } from './admission.js'
import { openGuard } from './token-guard.js'

/** The services of the compatible and of the native protocol. */
export const serviceNames = ['snakepit.bridge.BridgeService', 'snakepit.bridge.watch.v1.WatchService'] as const

/** What tells those who look after servers how this one is. Asks for no token. */
export class Health {
  readonly #health = new HealthImplementation()

  /** @param server to which the service is added */
  constructor(server: Server, admission: Admission) {
    this.#say('SERVING')
    const addService = (definition: ServiceDefinition, implementation: UntypedServiceImplementation) =>
      server.addService(
        definition,
        admission.wrap({ definition, implementation }, { guard: openGuard, isEndless: true }),
      )
    this.#health.addToServer({ addService } as never)
  }

  stopServing(): void {
    this.#say('NOT_SERVING')
  }

  #say(status: 'SERVING' | 'NOT_SERVING'): void {
    for (const name of ['', ...serviceNames]) this.#health.setStatus(name, status)
  }
}

/** Tells clients which services there are. Loaded only when it is asked for. */
export async function addReflection(server: Server, admission: Admission): Promise<void> {
  const [{ ReflectionService }, { loadSync }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
  ])
  const files = ['snakepit/bridge/bridge.proto', 'snakepit/bridge/watch/v1/watch.proto']
  const packages = loadSync(files, { includeDirs: [protoFolder()], keepCase: true })
  const addService = (definition: ServiceDefinition, implementation: UntypedServiceImplementation) =>
    server.addService(definition, admission.wrap({ definition, implementation }, { isEndless: true }))
  new ReflectionService(packages).addToServer({ addService } as never)
}

/** The folder `proto` of the package, however deep in it this module is. */
function protoFolder(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const proto = join(folder, 'proto')
    if (existsSync(join(proto, 'snakepit')) || folder === dirname(folder)) return proto
  }
}
