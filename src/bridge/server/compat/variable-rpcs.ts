import type { BridgeServiceServer } from '../../gen/snakepit/bridge/bridge.js'
import { baseOfType, decodeAny } from '../../wire/any-codec.js'
import { encodeVariable } from '../../wire/variable-codec.js'
import { checkName } from '../lost-name.js'
import { mirrorsOf } from '../mirrors.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import { answering, sessionFor, within } from './answering.js'
import { readConstraints } from './constraints.js'
import { find } from './identifiers.js'
import { wordsOfBirth, wordsOfWrite } from './write-words.js'

type Rpcs = Pick<
  BridgeServiceServer,
  'registerVariable' | 'getVariable' | 'setVariable' | 'listVariables' | 'deleteVariable'
>

export function variableRpcs(deps: ServiceDeps): Rpcs {
  const { maxVariables } = deps.limits
  const mirrors = mirrorsOf(deps)
  async function withRoom<T>(session: Session, name: string, define: () => Promise<T>): Promise<T> {
    if (maxVariables === Number.POSITIVE_INFINITY) return define()
    const { room } = await mirrors.open(session)
    return room.define(name, maxVariables, async () => {
      const defined = await define()
      await mirrors.settled()
      return defined
    })
  }
  return {
    registerVariable: answering(async (request, call) => {
      const { sessionId, name, metadata, initialBinaryValue } = request
      const session = await sessionFor(deps, call, sessionId, 'write')
      checkName(name)
      const base = baseOfType(request.type)
      const constraints = readConstraints(request.constraintsJson)
      const initial = decodeAny(request.initialValue, initialBinaryValue, base)
      const { description } = metadata
      const define = () =>
        session.context.define(name, base, initial as never, {
          constraints,
          metadata: wordsOfBirth(metadata),
          ...(description !== undefined && { description }),
        })
      const { id } = await within(session, () => withRoom(session, name, define))
      return { success: true, variableId: id, errorMessage: '' }
    }),

    getVariable: answering(async ({ sessionId, variableIdentifier }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'read')
      const info = await within(session, ({ context }) => find(context, variableIdentifier))
      return { variable: encodeVariable(info), fromCache: false }
    }),

    setVariable: answering(async (request, call) => {
      const { sessionId, variableIdentifier, metadata, expectedVersion, binaryValue } = request
      const session = await sessionFor(deps, call, sessionId, 'write')
      return within(session, async ({ context }) => {
        const { name, base } = await find(context, variableIdentifier)
        const value = decodeAny(request.value, binaryValue, base)
        const options = expectedVersion > 0 ? { expectedVersion } : {}
        const { version } = await context.set(name, value, wordsOfWrite(metadata), options)
        return { success: true, errorMessage: '', newVersion: version }
      })
    }),

    listVariables: answering(async ({ sessionId, pattern }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'read')
      const infos = await within(session, ({ context }) => context.list(pattern === '' ? '*' : pattern))
      return { variables: infos.map(encodeVariable) }
    }),

    deleteVariable: answering(async ({ sessionId, variableIdentifier }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'write')
      await within(session, async ({ context }) => {
        const { name } = await find(context, variableIdentifier)
        await context.delete(name)
      })
      return { success: true, errorMessage: '' }
    }),
  }
}
