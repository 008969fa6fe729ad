import { MessagePort } from 'node:worker_threads'
import type { From } from '../actors/messages.js'
import { Pid, Ref } from '../threads/pid.js'
import type { Change } from './change.js'
import type {
  ContextMessage,
  ContextRequest,
  ManagerMessage,
  ManagerRequest,
  Observer,
  RelayMessage,
  WatchedVariable,
  WatchRequest,
} from './requests.js'
import type { Write } from './state.js'

type Check = (value: unknown) => boolean
type Checks<Message extends { kind: string }> = Readonly<Record<Message['kind'], (message: Fields) => boolean>>
type Fields = Readonly<Record<string, unknown>>

/** Whether `value` is an object, of whatever making. */
export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

const isText: Check = (value) => typeof value === 'string'
const isPid: Check = (value) => value instanceof Pid
const isRef: Check = (value) => value instanceof Ref
const always = () => true

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isItem)
}

function isChange(value: unknown): value is Change {
  return isRecord(value) && isText(value['id']) && isText(value['name']) && isRecord(value['meta'])
}

function isFrom(value: unknown): value is From {
  if (!isRecord(value)) return false
  const { pid, ref, callee } = value
  return isPid(pid) && isRef(ref) && (callee === undefined || isPid(callee))
}

const isAnswer: Check = (value) => isRecord(value) && isFrom(value['from'])

function isObserver(value: unknown): value is Observer {
  if (!isRecord(value)) return false
  const { ref, owner, relay, context, variables } = value
  if (!isRef(ref) || !isPid(owner) || !isPid(relay) || (context !== undefined && !isPid(context))) return false
  return isListOf(variables, (variable): variable is Observer['variables'][number] => {
    return isRecord(variable) && isText(variable['id']) && isText(variable['name'])
  })
}

function isWatchedVariable(value: unknown): value is WatchedVariable {
  if (!isRecord(value)) return false
  const { id, name, subject } = value
  return isText(id) && isText(name) && Number.isInteger(subject) && (subject as number) >= 0
}

function isWrite(value: unknown): value is Write {
  return isRecord(value) && isText(value['name'])
}

function isWatchRequest(value: unknown): value is WatchRequest {
  if (!isRecord(value)) return false
  const { ref, owner, relay, names } = value
  return isRef(ref) && isPid(owner) && isPid(relay) && Array.isArray(names) && names.length > 0
}

function isResumption(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { ref, owner, relay, ids, since } = value
  return (
    isRef(ref) && isPid(owner) && isPid(relay) && Array.isArray(ids) && ids.every(isText) && typeof since === 'number'
  )
}

function isSeen(value: unknown): boolean {
  return isRecord(value) && isText(value['incarnation']) && typeof value['revision'] === 'number'
}

function isHome(value: unknown): boolean {
  return isRecord(value) && isText(value['module']) && isText(value['export'])
}

function isResync({ context, changes, revision, lost }: Fields): boolean {
  return isPid(context) && isListOf(changes, isChange) && typeof revision === 'number' && isRecord(lost)
}

function isFlag(value: unknown): boolean {
  return value instanceof SharedArrayBuffer && value.byteLength === Int32Array.BYTES_PER_ELEMENT
}

/** Whether `value` has a kind that `checks` knows, and the parts of that kind. */
function hasShape<Message extends { kind: string }>(value: unknown, checks: Checks<Message>): boolean {
  if (!isRecord(value) || !isText(value['kind']) || !Object.hasOwn(checks, value['kind'] as string)) return false
  return checks[value['kind'] as Message['kind']](value)
}

const contextMessages: Checks<ContextMessage> = {
  put: ({ write }) => isRecord(write),
  resume: ({ watch }) => isResumption(watch),
  unfeed: ({ to }) => isPid(to),
  facts: ({ port, flag }) => port instanceof MessagePort && isFlag(flag),
}

/** What names and values are right the state says, with better words. */
const contextRequests: Checks<ContextRequest> = {
  open: always,
  define: ({ definition }) => isRecord(definition),
  set: ({ write }) => isRecord(write),
  'set-many': ({ writes }) => isListOf(writes, isWrite),
  get: always,
  describe: always,
  list: always,
  delete: always,
  history: always,
  rollback: always,
  lease: always,
  release: ({ how }) => isRecord(how),
  watch: ({ watch }) => isWatchRequest(watch),
  watchers: always,
  feed: ({ to, seen }) => isPid(to) && (seen === undefined || isSeen(seen)),
  move: ({ home }) => isHome(home),
  stop: always,
}

const managerMessages: Checks<ManagerMessage> = {
  observe: ({ observer, begin, answer }) =>
    isObserver(observer) && isListOf(begin, isChange) && (answer === undefined || isAnswer(answer)),
  commit: ({ changes, answer }) => isListOf(changes, isChange) && (answer === undefined || isAnswer(answer)),
  track: ({ id, name, context }) => isText(id) && isText(name) && isPid(context),
  untrack: ({ id, context }) => isText(id) && isPid(context),
  resync: isResync,
  forget: ({ ref }) => isRef(ref),
  list: ({ context, from }) => isPid(context) && isFrom(from),
}

const managerRequests: Checks<ManagerRequest> = {
  add: ({ observer }) => isObserver(observer),
  remove: ({ ref, id }) => isRef(ref) && (id === undefined || isText(id)),
  disown: ({ owner }) => isPid(owner),
  tracks: ({ id }) => isText(id),
  count: ({ id }) => isText(id),
  stats: always,
  fence: always,
}

const relayMessages: Checks<RelayMessage> = {
  watching: ({ ref, manager, variables, begin }) => {
    return isRef(ref) && isPid(manager) && isListOf(variables, isWatchedVariable) && isListOf(begin, isChange)
  },
  resync: isResync,
  removed: ({ ref }) => isRef(ref),
  changes: ({ changes }) => isListOf(changes, isChange),
}

/** Whether a context can be told this. */
export const isContextMessage = (value: unknown): value is ContextMessage => hasShape(value, contextMessages)

/** Whether a context can be asked this. */
export const isContextRequest = (value: unknown): value is ContextRequest => hasShape(value, contextRequests)

/** Whether an observer manager can be told this. */
export const isManagerMessage = (value: unknown): value is ManagerMessage => hasShape(value, managerMessages)

/** Whether an observer manager can be asked this. */
export const isManagerRequest = (value: unknown): value is ManagerRequest => hasShape(value, managerRequests)

/** Whether a relay can be told this. */
export const isRelayMessage = (value: unknown): value is RelayMessage => hasShape(value, relayMessages)
