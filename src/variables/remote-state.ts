import { Exit } from '../actors/exit-reason.js'
import type { From } from '../actors/messages.js'
import type { Process } from '../actors/process.js'
import { BeamlineError, shown } from '../errors.js'
import type { Wire } from '../threads/wire.js'
import { ContextCopy } from './context-copy.js'
import { tellMoved } from './context-keeper.js'
import type { StateParts } from './local-state.js'
import { checkMetadata } from './metadata.js'
import type { ContextRequest, ManagerMessage, WatchRequest } from './requests.js'
import type { ScalarWriter } from './scalar-writer.js'
import { SharedLog } from './shared-log.js'
import { type Definition, unknownVariable, type Write } from './state.js'
import { compileValidator, type TypeDefinition } from './types/index.js'
import type { Home, OpenUpstream, Upstream } from './upstream.js'
import { PUT } from './wire-ops.js'

interface Surroundings {
  tell(message: ManagerMessage): void
  /** Nobody waits for a write that is refused. */
  refused(error: BeamlineError): void
}

/** Answers a request here: the one that was asked, or what has become of it. */
type Now = (request?: ContextRequest) => void | Promise<void>

/** The part of a context that is elsewhere, when its state lives behind a bridge. */
export class RemoteState {
  readonly #self: Process
  readonly #parts: StateParts
  readonly #around: Surroundings
  readonly #copy: ContextCopy
  #home: Home | undefined
  #upstream: Upstream | undefined
  /** What came from there while it was being opened. */
  #early: unknown[] | undefined

  constructor(self: Process, id: string, parts: StateParts, scalars: ScalarWriter, around: Surroundings) {
    this.#self = self
    this.#parts = parts
    this.#around = around
    this.#copy = new ContextCopy(parts, {
      self,
      id,
      ...around,
      committed: (variable) => scalars.notify(variable),
      end: (error) => {
        SharedLog.end(parts.store.memory.log)
        self.exit(self.pid, { shutdown: error.message })
      },
    })
  }

  get backend(): 'local' | 'bridged' {
    return this.isOpen ? 'bridged' : 'local'
  }

  get isOpen(): boolean {
    return this.#upstream !== undefined
  }

  /** Joins a session, again when there is something that was seen of it, or makes it of what there is. */
  async open(home: Home, how: 'join' | 'rejoin' | 'move'): Promise<void> {
    this.#home = home
    const open = (await import(home.module))[home.export] as OpenUpstream
    this.#early = []
    this.#copy.open()
    try {
      this.#upstream = await open(this.#self, home.args, this.#copy, how)
    } finally {
      const early = this.#early
      this.#early = undefined
      for (const message of early) this.take(message)
    }
  }

  /** The state goes on elsewhere. @throws BeamlineError ALREADY_EXISTS; then it stays where it is */
  async move(home: Home): Promise<void> {
    if (this.#home !== undefined) {
      if (this.#home.place === home.place) return
      throw new BeamlineError('ALREADY_EXISTS', `the context '${this.#copy.id}' lives behind a bridge already`)
    }
    // First, so that whatever its thread dies of it comes back to where its state is.
    await tellMoved(this.#self, home)
    try {
      await this.open(home, 'move')
    } catch (error) {
      this.#home = undefined
      await tellMoved(this.#self, undefined)
      throw error
    }
  }

  /** The context is at its end, and the session is not. */
  async close(): Promise<void> {
    await this.#upstream?.leave()
  }

  /** Takes a message of the bridge. */
  take(message: unknown): void {
    if (this.#upstream !== undefined) this.#upstream.take(message)
    else this.#early?.push(message)
  }

  /** Has a request answered where the state is, or by `now`, once the copy is as new as that. */
  serve(from: From, request: ContextRequest, now: Now): void | Promise<void> {
    const upstream = this.#upstream as Upstream
    switch (request.kind) {
      case 'define':
        return this.#define(from, request.definition)
      case 'set':
        return upstream.forward({ kind: 'set', write: this.#checked(request.write) }, from)
      case 'set-many':
        return upstream.forward({ ...request, writes: request.writes.map((one) => this.#checked(one)) }, from)
      case 'delete':
      case 'rollback':
      case 'lease':
      case 'release':
      case 'history':
        return upstream.forward(request, from)
      case 'get':
      case 'describe':
      case 'list':
      case 'watch': {
        const go = (error?: BeamlineError) => (error === undefined ? void now() : this.#self.replyError(from, error))
        // A watch misses no write that is asked for after it.
        if (request.kind !== 'watch') return upstream.synced(go)
        const since = request.watch.sinceRevision
        if (since === undefined || !this.#copy.lacks(since)) return upstream.synced(go, true)
        return void this.#withPast(request.watch, since).then((watch) => {
          upstream.synced((error) => (error === undefined ? void now({ kind: 'watch', watch }) : go(error)))
        }, go)
      }
      case 'feed': {
        const text = `the context '${this.#copy.id}' lives behind a bridge: share its session from there`
        throw new BeamlineError('INVALID_TYPE', text)
      }
      default:
        return now()
    }
  }

  /** What was committed before the copy began is known where the state is. */
  async #withPast(watch: WatchRequest, after: number): Promise<WatchRequest> {
    const through = this.#parts.store.log.compacted
    const events = await (this.#upstream as Upstream).past(after, through)
    return { ...watch, past: { through, changes: this.#copy.told(events, new Set(watch.names)) } }
  }

  /** A write of a scalar, by a number of the copy. */
  write({ op, subject, value }: Wire, from: From | undefined): void {
    if (op !== PUT) return
    const variable = this.#parts.store.variable(subject)
    try {
      if (variable === undefined || variable.entry < 0) throw unknownVariable(variable?.name ?? `number ${subject}`)
      this.#upstream?.forward({ kind: 'set', write: this.#checked({ name: variable.name, value }) }, from)
    } catch (error) {
      this.#refuse(from, error)
    }
  }

  put(write: Write): void {
    this.#upstream?.forward({ kind: 'set', write: this.#checked(write) }, undefined)
  }

  /** What only this side can say of a write; the rest is said where the state is. */
  #checked(write: Write): Write {
    const { name, value, metadata, expectedVersion } = write
    if (typeof name !== 'string') throw unknownVariable(name)
    checkMetadata(name, metadata)
    if (expectedVersion !== undefined && !(Number.isInteger(expectedVersion) && expectedVersion >= 0)) {
      const text = `${name}: expectedVersion is ${shown(expectedVersion)}: give a whole number, 0 or more`
      throw new BeamlineError('INVALID_TYPE', text, { details: { name, expectedVersion } })
    }
    return { ...write, value: this.#copy.check(name, value) }
  }

  /** A type of a user's own travels as the built-in type that it is based on. */
  #define(from: From, definition: Definition): void | Promise<void> {
    if (typeof definition.type !== 'object' || definition.type === null)
      return this.#upstream?.forward({ kind: 'define', definition }, from)
    return this.#defineOwn(from, definition, definition.type)
  }

  async #defineOwn(from: From, definition: Definition, type: TypeDefinition): Promise<void> {
    const { name, initial, constraints } = definition
    checkMetadata(name, definition.metadata)
    const validator = await compileValidator(name, type, constraints)
    const value = validator.parse(name, initial)
    this.#copy.expect(name, { type, validator })
    const plain = { ...definition, type: validator.base, initial: value, constraints: validator.constraints }
    this.#upstream?.forward({ kind: 'define', definition: plain }, from)
  }

  #refuse(from: From | undefined, error: unknown): void {
    if (error instanceof Exit || !(error instanceof BeamlineError)) throw error
    if (from === undefined) this.#around.refused(error)
    else this.#self.replyError(from, error)
  }
}
