import { BeamlineError } from '../../../errors.js'
import type { AddDependencyRequest, BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import { reasonOf } from '../../wire/status.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import type { Keepsake, Keepsakes } from '../tools/keepsakes.js'
import { PerSession } from '../tools/per-session.js'
import type { ToolDesk } from '../tools/tool-desk.js'
import { answering, sessionFor, within } from './answering.js'
import { Dependencies, type Derive } from './dependencies.js'
import { find } from './identifiers.js'

/** The dependencies of all sessions. */
export class DependencyDesk {
  readonly #tools: ToolDesk
  readonly #sessions = new PerSession((session) => new Dependencies(session))

  constructor(tools: ToolDesk) {
    this.#tools = tools
  }

  /** @param from and `to` identify variables. @throws BeamlineError NOT_FOUND, and as {@link Dependencies.add} */
  async add(session: Session, from: string, to: string, type: string): Promise<Keepsake> {
    const registered = await functionOf(this.#tools, session, type)
    const [source, result] = [await find(session.context, from), await find(session.context, to)]
    await this.#sessions.of(session).add(source, result, type, registered)
    return { kind: 'dependency', from: source.id, to: result.id, type }
  }
}

export function dependencyRpcs(
  deps: ServiceDeps,
  desk: DependencyDesk,
  keepsakes: Keepsakes,
): Pick<BridgeServiceServer, 'addDependency'> {
  return {
    addDependency: answering(async (request, call) => {
      const session = await sessionFor(deps, call, request.sessionId, 'write')
      return within(session, () => added(desk, keepsakes, session, request))
    }),
  }
}

async function added(
  desk: DependencyDesk,
  keepsakes: Keepsakes,
  session: Session,
  { fromVariable, toVariable, dependencyType }: AddDependencyRequest,
) {
  try {
    keepsakes.keep(session, await desk.add(session, fromVariable, toVariable, dependencyType))
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
