import type { From } from '../../../src/actors/messages.js'
import { Acks, Credit } from '../../../src/bridge/client/acks.js'
import type { Attach } from '../../../src/bridge/client/link-parts.js'
import type { FromBridge } from '../../../src/bridge/client/messages.js'
import { Outbox } from '../../../src/bridge/client/outbox.js'
import { SessionLink } from '../../../src/bridge/client/session-link.js'
import {
  type Batch,
  ClientItem,
  type Command,
  Reason,
  ResumeResult,
  type Snapshot,
} from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { toVariable } from '../../../src/bridge/wire/native-codec.js'
import type { BeamlineError } from '../../../src/errors.js'
import { VirtualClock } from '../../../src/testing/virtual-clock.js'
import { Pid } from '../../../src/threads/pid.js'
import type { SessionState } from '../../../src/variables/session-state.js'
import { integer, type Plain, plainly } from './scripted-session.js'

/** A session with one variable, whose value is the revision. */
export const stateAt = (revision: number, incarnation = 'first'): SessionState => ({
  incarnation,
  revision,
  variables: [integer(1, 'x', revision, { revision })],
})

type Told = readonly [slot: number, kind: FromBridge['kind'], what?: unknown]

/** The link of a session, without a connection: what it does is written down. Its contexts are called by numbers. */
export class Linked {
  readonly clock = new VirtualClock()
  readonly link: SessionLink
  readonly outbox: Outbox
  server: string | undefined = 'one'
  /** From which revisions watches began. */
  readonly watches: (number | undefined)[] = []
  /** What contexts were told, but for the state of their links. */
  readonly told: Told[] = []
  /** What the attaches were answered: a state, or `undefined`, or why not. */
  readonly answers = new Map<number, SessionState | undefined | BeamlineError>()
  readonly commands: Command[] = []
  /** Where contexts were told that their session is. */
  readonly servers: (string | undefined)[] = []
  ended = false
  #watch = 0

  constructor() {
    this.outbox = new Outbox((item) => {
      const { kind } = ClientItem.decode(item)
      if (kind?.$case === 'command') this.commands.push(kind.value)
    })
    this.outbox.online(true, 'here')
    this.link = new SessionLink('s', {
      clock: this.clock,
      outbox: this.outbox,
      acks: new Acks(
        this.clock,
        () => {},
        () => 0,
      ),
      watch: (_link, resume) => {
        this.watches.push(resume?.revision)
        return new Credit(++this.#watch, 0)
      },
      unwatch: () => {},
      serverId: () => this.server,
      proofOfLife: () => 0,
      send: ({ slot }, message) => this.#hear(slot, message),
      answer: (from, state) => this.answers.set(from.pid.slot, state),
      refuse: (from, error) => this.answers.set(from.pid.slot, error),
      gap: () => {},
      resynced: () => {},
      ended: () => {
        this.ended = true
      },
    })
  }

  #hear(slot: number, told: FromBridge): void {
    for (const message of plainly(told)) this.#take(slot, message)
  }

  #take(slot: number, message: Plain): void {
    switch (message.kind) {
      case 'link':
        return void this.servers.push(message.server)
      case 'events':
        return void this.told.push([slot, 'events', message.events.map(({ revision }) => revision)])
      case 'resync':
        return void this.told.push([slot, 'resync', message.state.revision])
      case 'closed':
        return void this.told.push([slot, 'closed', message.error.code])
      default:
        this.told.push([slot, message.kind])
    }
  }

  attach(slot: number, given: Partial<Attach> = {}): Attach {
    const pid = new Pid('node', 1, slot, 1)
    const attach = { from: { pid } as From, pid, create: true, state: undefined, seen: undefined, ...given }
    this.link.attach(attach)
    return attach
  }

  detach(slot: number): void {
    this.link.detach(new Pid('node', 1, slot, 1))
  }

  /** The server says where the watch begins. */
  created(
    revision: number,
    resume: ResumeResult = ResumeResult.RESUME_RESULT_RESUMED,
    incarnation = 'first',
    compacted = 0,
  ): void {
    this.link.created({ watchId: this.#watch, incarnation, revision, compacted, resume, missing: [] })
  }

  /** The server says where the watch begins, and all that there is. */
  snapshot(state: SessionState, resume: ResumeResult = ResumeResult.RESUME_RESULT_FRESH, compacted = 0): void {
    const { revision, incarnation, variables } = state
    this.created(revision, resume, incarnation, compacted)
    this.link.snapshot({ watchId: this.#watch, revision, variables: variables.map(toVariable), last: true })
  }

  /** Some of what there is. */
  part(last: boolean, ...variables: Snapshot['variables']): void {
    this.link.snapshot({ watchId: this.#watch, revision: 0, variables, last })
  }

  batch(prev: number, through: number, ...events: Batch['events']): void {
    this.link.batch({ watchId: this.#watch, prev, through, events })
    this.link.settle()
  }

  gone(): void {
    const value = { detail: '', compacted: 0, incarnation: '', retryAfterMs: 0 }
    this.link.canceled({ watchId: this.#watch, reason: Reason.REASON_NOT_FOUND, ...value })
  }

  /** The last command is answered: it has joined the session. */
  joined(): void {
    const { id = 0 } = this.commands.at(-1) ?? {}
    const value = { incarnation: 'first', revision: 1, created: true }
    this.outbox.reply({ id, revision: 1, outcome: { $case: 'joined', value } })
  }

  /** The connection is lost. */
  lose(wait = true): void {
    this.outbox.offline()
    this.link.offline(wait)
    this.server = undefined
  }

  /** There is another one. */
  find(server: string): void {
    const same = server === 'one'
    this.server = server
    this.outbox.online(same, 'here')
    this.link.online()
  }
}
