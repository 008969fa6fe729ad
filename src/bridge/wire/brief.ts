import type { CommitEvent } from '../../variables/session-state.js'
import { ClientItem, type Command, Event, Op, type Reply, ServerItem } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { BackwardWriter } from './backward-writer.js'
import { toEvent } from './native-codec.js'

// The same bytes as what is generated makes, sooner, of what is sent most: the value of a number, flag or text.

/** The numbers of fields, as in watch.proto. */
const COMMAND = 7
const SET = 5
const REPLY = 9
const WRITTEN = 4

const writer = new BackwardWriter()
const halfAPair = /\p{Surrogate}/u

const isBrief = (value: unknown): value is number | boolean | string =>
  typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && !halfAPair.test(value))

/** A field that is a `Value`. */
function writeValue(field: number, value: number | boolean | string): void {
  const end = writer.here
  if (typeof value === 'number') writer.double(1, value)
  else if (typeof value === 'string') writer.text(2, value)
  else writer.varint(3, value ? 1 : 0)
  writer.nest(field, end)
}

/** The bytes of an event, but for `more` and `conflated`. */
export function encodeEvent(event: CommitEvent): Uint8Array {
  const { op, said, value, timestamp, version, number, revision } = event
  if (op !== 'set' || said !== undefined || !isBrief(value) || version < 0)
    return Event.encode({ ...toEvent(event), more: false }).finish()
  if (timestamp !== 0) writer.double(6, timestamp)
  writeValue(5, value)
  if (version !== 0) writer.varint(4, version)
  if (number !== 0) writer.varint(3, number)
  writer.varint(2, Op.OP_SET)
  if (revision !== 0) writer.varint(1, revision)
  return writer.finish()
}

/** The bytes of an item that is a command. */
export function encodeCommand(id: number, sessionId: string, op: NonNullable<Command['op']>): Uint8Array {
  if (op.$case !== 'set')
    return ClientItem.encode({ kind: { $case: 'command', value: { id, sessionId, op } } }).finish()
  const { name, value, metadataJson, expectedVersion } = op.value
  const kind = value?.kind
  const plain = kind?.$case === 'number' || kind?.$case === 'text' || kind?.$case === 'flag' ? kind.value : undefined
  if (!isBrief(plain) || metadataJson !== '' || expectedVersion !== undefined)
    return ClientItem.encode({ kind: { $case: 'command', value: { id, sessionId, op } } }).finish()
  return encodeSet(id, sessionId, name, plain)
}

function encodeSet(id: number, sessionId: string, name: string, value: number | boolean | string): Uint8Array {
  const end = writer.here
  writeValue(2, value)
  if (name !== '') writer.text(1, name)
  writer.nest(SET, end)
  if (sessionId !== '') writer.text(2, sessionId)
  if (id !== 0) writer.varint(1, id)
  writer.nest(COMMAND, end)
  return writer.finish()
}

/** The bytes of an item that is a reply. */
export function encodeReply(reply: Reply): Uint8Array {
  const { id, revision, outcome } = reply
  if (outcome?.$case !== 'written' || outcome.value.value !== undefined || outcome.value.version < 0)
    return ServerItem.encode({ kind: { $case: 'reply', value: reply } }).finish()
  const end = writer.here
  const { version, revision: written } = outcome.value
  if (written !== 0) writer.varint(2, written)
  if (version !== 0) writer.varint(1, version)
  writer.nest(WRITTEN, end)
  if (revision !== 0) writer.varint(2, revision)
  if (id !== 0) writer.varint(1, id)
  writer.nest(REPLY, end)
  return writer.finish()
}
