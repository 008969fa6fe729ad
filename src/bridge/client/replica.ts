import { BeamlineError } from '../../errors.js'
import type { Metadata } from '../../variables/change.js'
import type { CommitEvent, NumberedInfo, SessionState } from '../../variables/session-state.js'
import type { Event } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { fromEvent } from '../wire/native-codec.js'

/** A variable as it is now, in a form that can be changed. */
type Present = { -readonly [K in keyof NumberedInfo]: NumberedInfo[K] }

/** The metadata of a writer who gave none. */
const unsaid = { source: 'local' }

/** What is known of a session: enough to tell of each event what was before, and to begin another copy. */
export class Replica {
  readonly incarnation: string
  /** Up to which it has everything. */
  revision: number
  readonly #variables = new Map<number, Present>()

  constructor({ incarnation, revision, variables }: SessionState) {
    this.incarnation = incarnation
    this.revision = revision
    for (const info of variables) this.#variables.set(info.number, { ...info })
  }

  /** @throws BeamlineError INVALID_TYPE for an event that does not belong here */
  take(wire: Event): CommitEvent {
    const known = this.#variables.get(wire.number)
    const event = fromEvent(wire, known)
    if (event.op === 'delete') this.#variables.delete(event.number)
    else if (event.op === 'define') this.#define(event)
    else if (known !== undefined) assign(known, event)
    return event
  }

  state(): SessionState {
    const { incarnation, revision } = this
    return { incarnation, revision, variables: [...this.#variables.values()].map((info) => ({ ...info })) }
  }

  #define({ number, revision, info }: CommitEvent): void {
    if (info === undefined)
      throw new BeamlineError('INVALID_TYPE', `revision ${revision} defines nothing`, { details: { revision, number } })
    this.#variables.set(number, { ...info })
  }
}

function assign(known: Present, { value, version, revision, timestamp, said }: CommitEvent): void {
  known.value = value
  known.version = version
  known.revision = revision
  known.updatedAt = timestamp
  known.metadata = metadataOf(known.metadata, said)
}

/** Later words over earlier ones, as the session itself has it. */
function metadataOf(before: Metadata, said: Metadata | undefined): Metadata {
  if (said === undefined && before['source'] === unsaid.source) return before
  return { ...before, ...unsaid, ...said }
}
