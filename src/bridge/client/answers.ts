import { BeamlineError } from '../../errors.js'
import type { Write } from '../../variables/state.js'
import type { Command, Reply } from '../gen/snakepit/bridge/watch/v1/watch.js'
import {
  fromEntry,
  fromEvent,
  fromFailure,
  fromValue,
  fromVariable,
  type Known,
  toConstraints,
  toMetadata,
  toValue,
} from '../wire/native-codec.js'
import type { SessionAnswer, SessionCommand } from './messages.js'

type Op = NonNullable<Command['op']>

/** A command as it travels. @throws BeamlineError INVALID_TYPE for a value that no variable can hold */
export function opOf(command: SessionCommand): Op {
  switch (command.op) {
    case 'set':
      return { $case: 'set', value: setOf(command.write) }
    case 'set-many':
      return { $case: 'setMany', value: { writes: command.writes.map(setOf), atomic: command.atomic } }
    case 'define': {
      const { name, type, initial, constraints, description, metadata } = command
      const value = {
        name,
        type,
        initial: toValue(initial),
        constraintsJson: toConstraints(constraints),
        ...(description !== undefined && { description }),
        metadataJson: toMetadata(metadata),
      }
      return { $case: 'define', value }
    }
    case 'delete':
      return { $case: 'delete', value: { name: command.name } }
    case 'rollback':
      return { $case: 'rollback', value: { name: command.name, version: command.version } }
    case 'lease':
      return { $case: 'lease', value: { name: command.name, holder: command.holder } }
    case 'release': {
      const { name, how } = command
      return { $case: 'release', value: { name, token: 0, force: false, ...how } }
    }
    case 'since': {
      const { revision, through, limit } = command
      return { $case: 'since', value: { revision, through, limit } }
    }
    case 'history':
      // 0 is all of it.
      return { $case: 'history', value: { name: command.name, limit: command.limit < 2 ** 32 ? command.limit : 0 } }
    case 'sync':
      return { $case: 'sync', value: {} }
  }
}

/** Who asked knows the variable by its number. */
const unnamed = (value: unknown): Known => ({ id: '', name: '', base: 'json', value })

function setOf({ name, value, metadata, expectedVersion }: Write) {
  return {
    name,
    value: toValue(value),
    metadataJson: toMetadata(metadata),
    ...(expectedVersion !== undefined && { expectedVersion }),
  }
}

/** What the server says of a command. @throws BeamlineError what it was refused with, or INVALID_TYPE for what is no answer */
export function answerOf(op: SessionCommand['op'], { outcome }: Reply): SessionAnswer {
  switch (outcome?.$case) {
    case 'failure':
      throw fromFailure(outcome.value)
    case 'written': {
      const { version, revision, value } = outcome.value
      return op === 'rollback' ? { version, revision, value: fromValue(value) } : { version, revision }
    }
    case 'many': {
      const { revision, versions, errors } = outcome.value
      const failures = Object.entries(errors).map(([name, failure]) => [name, fromFailure(failure)] as const)
      return { revision, versions, errors: Object.fromEntries(failures) }
    }
    case 'variables': {
      const [variable] = outcome.value.variables
      if (variable === undefined)
        throw new BeamlineError('INVALID_TYPE', `the server's answer to ${op} has no variable`)
      return fromVariable(variable)
    }
    case 'entries':
      return outcome.value.entries.map((entry) => fromEntry(entry))
    case 'leased': {
      const { holder, token, since, released } = outcome.value
      return op === 'release' ? released : { holder, token, since }
    }
    case 'past': {
      const { events, through } = outcome.value
      return { events: events.map((event) => fromEvent(event, unnamed(fromValue(event.previous)))), through }
    }
    case 'joined':
    case 'done':
      return undefined
    default:
      throw new BeamlineError(
        'INVALID_TYPE',
        `the server's answer to ${op} says nothing: use the same version at both ends`,
      )
  }
}
