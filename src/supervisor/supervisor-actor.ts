import type { Process } from '../actors/process.js'
import { DynamicSupervision } from './dynamic-supervision.js'
import type { Nests } from './nursery.js'
import type { NestArgs } from './recipe.js'
import { StaticSupervision } from './static-supervision.js'

/** The process that is a supervisor. */
export function supervisorActor(self: Process, args: NestArgs): Promise<void> {
  return new StaticSupervision(self, args, nests).run()
}

/** The process that is a dynamic supervisor. */
export function dynamicSupervisorActor(self: Process, { policy }: NestArgs): Promise<void> {
  return new DynamicSupervision(self, policy, nests).run()
}

export const nests: Nests = { supervisor: supervisorActor, dynamicSupervisor: dynamicSupervisorActor }
