import { BeamlineError } from '../../../errors.js'
import type { ManyWritten, Metadata, VariableInfo } from '../../../variables/change.js'
import type { Context } from '../../../variables/context.js'
import { tokenKey } from '../../../variables/lease.js'
import type {
  BatchGetVariablesResponse,
  BatchSetVariablesRequest,
  BatchSetVariablesResponse,
  BridgeServiceServer,
  Variable,
} from '../../gen/snakepit/bridge/bridge.js'
import { assertType, decodeAny } from '../../wire/any-codec.js'
import { reasonOf } from '../../wire/status.js'
import { encodeVariable } from '../../wire/variable-codec.js'
import type { ServiceDeps } from '../service-deps.js'
import { answering, sessionFor, within } from './answering.js'
import { findIfThere } from './identifiers.js'
import { wordsOfWrite } from './write-words.js'

type Rpcs = Pick<BridgeServiceServer, 'getVariables' | 'setVariables'>

export function batchRpcs(deps: ServiceDeps): Rpcs {
  return {
    getVariables: answering(async ({ sessionId, variableIdentifiers }, call) => {
      const session = await sessionFor(deps, call, sessionId, 'read')
      const identifiers = [...new Set(variableIdentifiers)]
      // The call itself has been counted.
      deps.rates.of(call.metadata, call.getPeer()).owe(identifiers.length - 1)
      return within(session, ({ context }) => readAll(context, identifiers, deps.limits.maxMessageBytes))
    }),

    setVariables: answering(async (request, call) => {
      const session = await sessionFor(deps, call, request.sessionId, 'write')
      return within(session, ({ context }) => setAll(context, request))
    }),
  }
}

/** What a write needs to know of a variable; not its value, which may be large. */
type Known = Pick<VariableInfo, 'name' | 'base'> & { readonly isLeased: boolean }

interface Sought {
  readonly identifier: string
  readonly info: Known | undefined
}

interface Found extends Sought {
  readonly info: Known
}

/** Variables that are asked for at once: so many values, and no more, are under way. */
const AT_ONCE = 16

async function* eachOf(
  context: Context,
  identifiers: readonly string[],
): AsyncGenerator<readonly [identifier: string, info: VariableInfo | undefined]> {
  for (let at = 0; at < identifiers.length; at += AT_ONCE)
    yield* await Promise.all(
      identifiers.slice(at, at + AT_ONCE).map(async (one) => [one, await findIfThere(context, one)] as const),
    )
}

/** @throws BeamlineError EXHAUSTED as soon as the answer is larger than a message may be */
async function readAll(
  context: Context,
  identifiers: readonly string[],
  most: number,
): Promise<BatchGetVariablesResponse> {
  const variables: [string, Variable][] = []
  const missingVariables: string[] = []
  let bytes = 0
  for await (const [identifier, info] of eachOf(context, identifiers)) {
    if (info === undefined) {
      missingVariables.push(identifier)
      continue
    }
    const variable = encodeVariable(info)
    bytes += identifier.length + (variable.value?.value.length ?? 0) + variable.binaryValue.length
    bytes += variable.constraintsJson.length
    if (bytes > most) {
      const text = `the answer takes more than ${most} bytes: ask for fewer variables at once`
      throw new BeamlineError('EXHAUSTED', text, { details: { limit: 'maxMessageBytes' } })
    }
    variables.push([identifier, variable])
  }
  return { variables: Object.fromEntries(variables), missingVariables }
}

async function findAll(context: Context, identifiers: readonly string[]): Promise<Sought[]> {
  const found: Sought[] = []
  for await (const [identifier, info] of eachOf(context, identifiers))
    found.push({ identifier, info: info && { name: info.name, base: info.base, isLeased: info.lease !== undefined } })
  return found
}

async function setAll(context: Context, request: BatchSetVariablesRequest): Promise<BatchSetVariablesResponse> {
  const { updates, binaryUpdates, metadata, atomic } = request
  const stray = Object.keys(binaryUpdates).find((identifier) => !Object.hasOwn(updates, identifier))
  if (stray !== undefined) throw refused(`the bytes of ${stray} have no value in updates that describes them`)
  // What is assigned to an object under that name becomes its prototype, so the batch would lose it without a word.
  if (Object.getPrototypeOf(updates) !== Object.prototype) throw refused('Variable not found: __proto__')
  const found = await findAll(context, Object.keys(updates))
  if (found.length === 0) return { success: true, errors: {}, newVersions: {} }
  const values = new Map<string, unknown>()
  // Before anything is written: what is not there, or not of its type, fails the whole call.
  for (const { identifier, info } of found) values.set(...readUpdate(request, identifier, info))
  assertNoneLeased(found as Found[], metadata)
  const written = await write(context, Object.fromEntries(values), wordsOfWrite(metadata), atomic)
  return answerOf(found as Found[], written, atomic)
}

function readUpdate(
  { updates, binaryUpdates }: BatchSetVariablesRequest,
  identifier: string,
  info: Known | undefined,
): [name: string, value: unknown] {
  if (info === undefined) throw refused(`Variable not found: ${identifier}`)
  const value = decodeAny(updates[identifier], binaryUpdates[identifier], info.base)
  assertType(value, info.base)
  return [info.name, value]
}

const refused = (reason: string) => new BeamlineError('INVALID_TYPE', reason, { details: { reason } })

function assertNoneLeased(found: readonly Found[], metadata: Metadata): void {
  const leased = found.find(({ info }) => info.isLeased)
  if (leased === undefined || metadata[tokenKey] !== undefined) return
  throw locked(leased.info.name)
}

const reasonOfLock = 'variable_locked_for_optimization'
const locked = (name: string) =>
  new BeamlineError('LOCKED', `${name}: ${reasonOfLock}`, { details: { name, reason: reasonOfLock } })

interface Outcome {
  readonly versions: Readonly<Record<string, number>>
  /** Why each that was refused was so, by name. */
  readonly reasons: Readonly<Record<string, string>>
}

async function write(
  context: Context,
  values: Readonly<Record<string, unknown>>,
  metadata: Metadata,
  atomic: boolean,
): Promise<Outcome> {
  try {
    const { versions, errors }: ManyWritten = await context.updateMany(values, metadata, { atomic })
    const reasons = Object.entries(errors).map(([name, error]) => [name, reasonOf(error)])
    return { versions, reasons: Object.fromEntries(reasons) }
  } catch (error) {
    const messages = error instanceof BeamlineError ? error.details['errors'] : undefined
    if (messages === undefined) throw error
    return { versions: {}, reasons: reasonsIn(messages as Readonly<Record<string, string>>) }
  }
}

/** A refused batch tells in whole sentences, each beginning with the name. */
function reasonsIn(messages: Readonly<Record<string, string>>): Record<string, string> {
  const reasons: [string, string][] = []
  for (const [name, message] of Object.entries(messages)) {
    if (message.includes(reasonOfLock)) throw locked(name)
    const start = `${name}: `
    reasons.push([name, message.startsWith(start) ? message.slice(start.length) : message])
  }
  return Object.fromEntries(reasons)
}

/** By the identifiers that were given. These clients read their successes only in an answer that says success. */
function answerOf(found: readonly Found[], { versions, reasons }: Outcome, atomic: boolean): BatchSetVariablesResponse {
  const pick = <T>(from: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      found.flatMap(({ identifier, info: { name } }) =>
        Object.hasOwn(from, name) ? [[identifier, from[name] as T]] : [],
      ),
    )
  const errors = pick(reasons)
  return { success: !atomic || Object.keys(errors).length === 0, errors, newVersions: pick(versions) }
}
