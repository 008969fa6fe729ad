import type { ActorSystem } from '../../../src/actors/system.js'
import type { Bridge } from '../../../src/bridge/client/bridge.js'
import type { BridgeMessage, BridgeRequest, FromBridge, SessionCommand } from '../../../src/bridge/client/messages.js'
import {
  type Batch,
  type Created,
  type Event,
  Op,
  type Reply,
  ResumeResult,
} from '../../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { toValue, toVariable } from '../../../src/bridge/wire/native-codec.js'
import type { NumberedInfo, SessionState } from '../../../src/variables/session-state.js'
import type { ScriptedStream } from './scripted-server.js'

/** A variable as a server tells of it. */
export const integer = (
  number: number,
  name: string,
  value: number,
  more: Partial<NumberedInfo> = {},
): NumberedInfo => ({
  number,
  id: `var_${name}_${number}`,
  name,
  type: 'integer',
  base: 'integer',
  value,
  version: 0,
  revision: 1,
  constraints: {},
  description: undefined,
  metadata: { source: 'local' },
  createdAt: 1,
  updatedAt: 1,
  ...more,
})

/** An event of a variable that gets a value. */
export const setEvent = (number: number, revision: number, value: number, more: Partial<Event> = {}): Event => ({
  revision,
  op: Op.OP_SET,
  number,
  version: revision,
  value: toValue(value),
  timestamp: revision,
  metadataJson: '',
  conflated: 0,
  more: false,
  defined: undefined,
  previous: undefined,
  ...more,
})

/** Answers a command. */
export const replyTo = (id: number, revision: number, outcome: Reply['outcome']) =>
  ({ $case: 'reply', value: { id, revision, outcome } }) as const

export const writtenTo = (id: number, revision: number) =>
  replyTo(id, revision, { $case: 'written', value: { version: revision, revision, value: undefined } })

export const failureTo = (id: number, code: string) =>
  replyTo(id, 0, { $case: 'failure', value: { code, message: `${code}!`, detailsJson: '' } })

/** Plays the server of a session that somebody joins: it is there, with these variables. */
export async function playJoin(
  stream: ScriptedStream,
  { revision, incarnation, variables }: SessionState,
): Promise<number> {
  const { id, op } = await stream.next('command')
  if (op?.$case !== 'join') throw new Error(`expected a join, not ${op?.$case}`)
  stream.say(replyTo(id, revision, { $case: 'joined', value: { incarnation, revision, created: false } }))
  return playWatch(stream, { revision, incarnation, variables })
}

/** Plays the start of a watch, with a snapshot, and answers its id. */
export async function playWatch(
  stream: ScriptedStream,
  { revision, incarnation, variables }: SessionState,
  resume: ResumeResult = ResumeResult.RESUME_RESULT_FRESH,
): Promise<number> {
  const { watchId } = await stream.next('create')
  stream.say(createdOf(watchId, { revision, incarnation, resume }), {
    $case: 'snapshot',
    value: { watchId, revision, variables: variables.map(toVariable), last: true },
  })
  return watchId
}

export const createdOf = (watchId: number, given: Pick<Created, 'revision' | 'incarnation' | 'resume'>) => ({
  $case: 'created' as const,
  value: { watchId, compacted: 0, missing: [], ...given },
})

export const batchOf = (watchId: number, prev: number, through: number, ...events: Batch['events']) =>
  ({ $case: 'batch', value: { watchId, prev, through, events } }) as const

/** The calling thread's own process as a context of a session: it asks the bridge, and hears of it. */
export class ScriptedContext {
  readonly #system: ActorSystem
  readonly #bridge: Bridge
  readonly session: string
  #seq = 0

  constructor(system: ActorSystem, bridge: Bridge, session = 's') {
    this.#system = system
    this.#bridge = bridge
    this.session = session
  }

  attach(
    given: { state?: SessionState; seen?: SessionState; again?: boolean } = {},
  ): Promise<SessionState | undefined> {
    const { pid } = this.#system.self
    const request: BridgeRequest = { kind: 'attach', session: this.session, pid, create: true, ...given }
    return this.#system.self.call(this.#bridge.pid, request) as Promise<SessionState | undefined>
  }

  async detach(): Promise<void> {
    const { pid } = this.#system.self
    const request: BridgeRequest = { kind: 'detach', session: this.session, pid }
    await this.#system.self.call(this.#bridge.pid, request)
  }

  tell(command: SessionCommand): number {
    const { pid } = this.#system.self
    const message: BridgeMessage = { kind: 'command', session: this.session, pid, seq: ++this.#seq, command }
    this.#system.self.cast(this.#bridge.pid, message)
    return this.#seq
  }

  set(name: string, value: unknown): number {
    return this.tell({ op: 'set', write: { name, value } })
  }

  /** The next message of a kind about the session. */
  async hear<K extends FromBridge['kind']>(kind: K): Promise<Extract<FromBridge, { kind: K }>> {
    const isWanted = (message: unknown): boolean => {
      const told = message as FromBridge
      return told.type === 'beamline:bridge' && told.session === this.session && told.kind === kind
    }
    return (await this.#system.self.receive(isWanted)) as Extract<FromBridge, { kind: K }>
  }

  /** The kinds of the next so many messages about the session. */
  async kinds(count: number): Promise<string[]> {
    const kinds: string[] = []
    while (kinds.length < count) {
      const isMine = (message: unknown) => (message as FromBridge).session === this.session
      kinds.push(((await this.#system.self.receive(isMine)) as FromBridge).kind)
    }
    return kinds
  }
}
