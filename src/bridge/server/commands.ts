import type { Process } from '../../actors/process.js'
import type { ManyWritten, VariableInfo } from '../../variables/change.js'
import type { NumberedInfo } from '../../variables/session-state.js'
import { unknownVariable, type Write } from '../../variables/state.js'
import { isTypeName } from '../../variables/types/definition.js'
import type { TypeName } from '../../variables/types/value-types.js'
import type { Command, Define, Get, Reply, SetMany, Set as SetOp } from '../gen/snakepit/bridge/watch/v1/watch.js'
import {
  fromConstraints,
  fromMetadata,
  fromValue,
  toEntry,
  toFailure,
  toValue,
  toVariable,
} from '../wire/native-codec.js'
import type { Permission } from './guard.js'
import { checkName } from './lost-name.js'
import type { Mirror } from './mirror.js'
import { pastOf } from './mirror-past.js'
import type { Mirrors } from './mirrors.js'
import type { OpenSession, SessionLine } from './session-line.js'

export type Operation = NonNullable<Command['op']>
export type Outcome = NonNullable<Reply['outcome']>

/** What came of a command, and the revision of the session that it speaks of. */
export type Done = (outcome: Outcome, revision: number) => void

const done: Outcome = { $case: 'done', value: {} }

/** What a caller must be allowed to do. */
export function permissionFor(op: Operation): Permission {
  switch (op.$case) {
    case 'join':
    case 'get':
    case 'list':
    case 'history':
    case 'sync':
    case 'since':
      return 'read'
    case 'lease':
    case 'release':
      return 'optimize'
    default:
      return 'write'
  }
}

/** Each once: else a short question would have an answer of any length. */
const namesOf = ({ names }: Get): string[] => [...new Set(names)]

/** As how many calls a command counts. */
export const costOf = (op: Operation): number => (op.$case === 'get' ? Math.max(1, namesOf(op.value).length) : 1)

export const failed = (error: unknown): Outcome => ({ $case: 'failure', value: toFailure(error) })

/**
 * Carries out what clients want of a session. Each command has been sent to the session's context when its call returns, so
 * that those of one client arrive in order and none waits for the answer to another.
 */
export class Commands {
  readonly #self: Process
  readonly #mirrors: Mirrors
  readonly #maxVariables: number

  constructor(self: Process, mirrors: Mirrors, maxVariables: number) {
    this.#maxVariables = maxVariables
    this.#self = self
    this.#mirrors = mirrors
  }

  /** How a session is that a client has joined: as it is behind all that was sent before. */
  joined({ session, mirror }: OpenSession, created: boolean, tell: Done): void {
    const now = () => {
      const { incarnation, head: revision } = mirror
      tell({ $case: 'joined', value: { incarnation, revision, created } }, revision)
    }
    this.#mirrors.fence(session).then(now, (error: unknown) => tell(failed(error), 0))
  }

  /** Refusals come by `tell` as well. */
  run(op: Operation, open: OpenSession, line: SessionLine, tell: Done): void {
    try {
      this.#run(op, open, line, tell).catch((error: unknown) => tell(failed(error), 0))
    } catch (error) {
      tell(failed(error), 0)
    }
  }

  #run(op: Operation, open: OpenSession, line: SessionLine, tell: Done): Promise<void> {
    const { session, mirror } = open
    const { context } = session
    switch (op.$case) {
      case 'set':
        return this.#set(op.value, open, line, tell)
      case 'setMany':
        return this.#setMany(op.value, open, line, tell)
      case 'define':
        return mirror.room.define(op.value.name, this.#maxVariables, () => this.#define(op.value, open, line, tell))
      case 'delete':
        return context
          .delete(op.value.name)
          .then(() => this.#mirrors.settled())
          .then(() => tell(done, mirror.head))
      case 'rollback':
        return context.rollback(op.value.name, op.value.version).then(({ version, revision, value }) => {
          const outcome: Outcome = { $case: 'written', value: { version, revision, value: toValue(value) } }
          mirror.reaches(revision, () => tell(outcome, revision))
        })
      case 'lease':
        return context.lease(op.value.name, op.value.holder).then((lease) => {
          tell({ $case: 'leased', value: { ...lease, released: false } }, mirror.head)
        })
      case 'release': {
        const { name, token, force } = op.value
        return context.release(name, force ? { force } : { token }).then((released) => {
          tell({ $case: 'leased', value: { holder: '', token, since: 0, released } }, mirror.head)
        })
      }
      case 'history': {
        const { name, limit } = op.value
        return context.history(name, limit === 0 ? {} : { limit }).then((entries) => {
          const revision = entries.at(-1)?.revision ?? 0
          const outcome: Outcome = { $case: 'entries', value: { entries: entries.map(toEntry) } }
          mirror.reaches(revision, () => tell(outcome, revision))
        })
      }
      case 'since': {
        const { value } = op
        return this.#mirrors.fence(session).then(() => tell({ $case: 'past', value: pastOf(mirror, value) }, 0))
      }
      case 'get':
        return this.#variables(Promise.all(namesOf(op.value).map((name) => context.describe(name))), mirror, tell)
      case 'list':
        return this.#variables(context.list(op.value.pattern === '' ? '*' : op.value.pattern), mirror, tell)
      default:
        return this.#mirrors.fence(session).then(() => tell(done, mirror.head))
    }
  }

  /** The context knows them as they are between the commands before and behind; the mirror, by which numbers. */
  async #variables(found: Promise<VariableInfo[]>, mirror: Mirror, tell: Done): Promise<void> {
    const infos = await found
    await this.#mirrors.settled()
    const numbered = infos.flatMap((info) => {
      const known = mirror.identified(info.id)?.born ?? bornAs(mirror, info.id)
      return known === undefined ? [] : [{ ...info, number: known.number }]
    })
    tell(variables(numbered), Math.max(0, ...infos.map(({ revision }) => revision)))
  }

  #set(op: SetOp, { session: { context }, mirror }: OpenSession, line: SessionLine, tell: Done): Promise<void> {
    const value = fromValue(op.value, baseOf(op.name, mirror, line))
    const metadata = fromMetadata(op.metadataJson)
    const options = op.expectedVersion === undefined ? undefined : { expectedVersion: op.expectedVersion }
    return context.set(op.name, value, metadata, options).then(({ version, revision }) => {
      const outcome: Outcome = { $case: 'written', value: { version, revision, value: undefined } }
      mirror.reaches(revision, () => tell(outcome, revision))
    })
  }

  #setMany({ writes, atomic }: SetMany, { session, mirror }: OpenSession, line: SessionLine, tell: Done) {
    const request = { kind: 'set-many', writes: writes.map((op) => writeOf(op, mirror, line)), atomic }
    return this.#self.call(session.context.pid, request).then((answer) => {
      const { revision, versions, errors } = answer as ManyWritten
      const refused = Object.fromEntries(Object.entries(errors).map(([name, error]) => [name, toFailure(error)]))
      const outcome: Outcome = { $case: 'many', value: { revision, versions, errors: refused } }
      mirror.reaches(revision, () => tell(outcome, revision))
    })
  }

  async #define(op: Define, { session: { context }, mirror }: OpenSession, line: SessionLine, tell: Done) {
    const { name, type, description } = op
    checkName(name)
    const base = isTypeName(type) ? type : undefined
    const metadata = fromMetadata(op.metadataJson)
    const options = {
      constraints: fromConstraints(op.constraintsJson),
      ...(description !== undefined && { description }),
      ...(metadata !== undefined && { metadata }),
    }
    const defined = context.define(name, type as 'json', fromValue(op.initial, base) as never, options)
    line.defining.set(name, type)
    let id: string
    try {
      id = (await defined).id
    } finally {
      line.defining.delete(name)
    }
    await this.#mirrors.settled()
    const info = bornAs(mirror, id) ?? mirror.identified(id)?.info
    // Deleted at once, and no longer in the log, either.
    if (info === undefined) throw unknownVariable(name)
    tell(variables([info]), info.revision)
  }
}

function bornAs({ log }: Mirror, id: string): NumberedInfo | undefined {
  for (let at = log.end - 1; at >= log.first; at--) {
    const event = log.at(at)?.event
    if (event?.id === id && event.info !== undefined) return event.info
  }
  return undefined
}

const variables = (infos: readonly NumberedInfo[]): Outcome => ({
  $case: 'variables',
  value: { variables: infos.map(toVariable) },
})

function writeOf({ name, value, metadataJson, expectedVersion }: SetOp, mirror: Mirror, line: SessionLine): Write {
  const metadata = fromMetadata(metadataJson)
  return {
    name,
    value: fromValue(value, baseOf(name, mirror, line)),
    ...(metadata !== undefined && { metadata }),
    ...(expectedVersion !== undefined && { expectedVersion }),
  }
}

function baseOf(name: string, mirror: Mirror, { defining }: SessionLine): TypeName | undefined {
  const type = defining.size === 0 ? undefined : defining.get(name)
  if (type === undefined) return mirror.named(name)?.born.base
  return isTypeName(type) ? type : undefined
}
