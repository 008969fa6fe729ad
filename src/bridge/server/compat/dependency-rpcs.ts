import { BeamlineError } from '../../../errors.js'
import type { AddDependencyRequest, BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import { reasonOf } from '../../wire/status.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import { PerSession } from '../tools/per-session.js'
import type { ToolDesk } from '../tools/tool-desk.js'
import { answering, sessionFor, within } from './answering.js'
import { Dependencies, type Derive } from './dependencies.js'
import { find } from './identifiers.js'

export function dependencyRpcs(deps: ServiceDeps, tools: ToolDesk): Pick<BridgeServiceServer, 'addDependency'> {
  const dependencies = new PerSession((session) => new Dependencies(session))
  return {
    addDependency: answering(async (request, call) => {
      const session = await sessionFor(deps, call, request.sessionId, 'write')
      return within(session, async () => {
        const registered = await functionOf(tools, session, request.dependencyType)
        return added(dependencies.of(session), session, request, registered)
      })
    }),
  }
}

async function added(
  dependencies: Dependencies,
  { context }: Session,
  { fromVariable, toVariable, dependencyType }: AddDependencyRequest,
  registered: Derive | undefined,
) {
  const from = await find(context, fromVariable)
  const to = await find(context, toVariable)
  try {
    await dependencies.add(from, to, dependencyType, registered)
    return { success: true, errorMessage: '' }
  } catch (error) {
    const isRefused = error instanceof BeamlineError && ['INVALID_TYPE', 'CONSTRAINT', 'LOCKED'].includes(error.code)
    if (!isRefused) throw error
    return { success: false, errorMessage: reasonOf(error) }
  }
}

/** A function that the host has registered under the name of the type is given the values by their names. */
async function functionOf(tools: ToolDesk, session: Session, type: string): Promise<Derive | undefined> {
  const tool = (await tools.hostTools()).find(({ name }) => name === type)
  return tool && ((values) => tools.runHostTool(type, session, values))
}
