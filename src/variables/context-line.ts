import type { CallOptions, Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import { type ContextFacts, tableNow } from './facts.js'
import type { ContextMessage, ContextRequest } from './requests.js'
import { unknownVariable } from './state.js'
import { ValueTable } from './value-table.js'

/** The way of one process to a context: what it asks and tells it, and the facts it has learnt of it. */
export class ContextLine {
  readonly owner: Process
  readonly pid: Pid
  readonly #options: CallOptions
  #id: string | undefined
  #table: ValueTable | undefined
  #modules: Readonly<Record<string, string>> | undefined
  #stopped: Promise<void> | undefined

  constructor(owner: Process, pid: Pid, { timeout }: CallOptions, id?: string) {
    this.owner = owner
    this.pid = pid
    this.#options = timeout === undefined ? {} : { timeout }
    this.#id = id
  }

  /** The id, once known. */
  get id(): string {
    return this.#id ?? String(this.pid)
  }

  /** Asks for the facts. */
  async open(): Promise<void> {
    const { id, table, modules } = (await this.ask({ kind: 'open' })) as ContextFacts
    this.#id = id
    this.#modules = modules
    this.#table ??= ValueTable.attach(table)
  }

  /** Where the modules of each namespace are. */
  async modules(): Promise<Readonly<Record<string, string>>> {
    if (this.#modules === undefined) await this.open()
    return this.#modules ?? {}
  }

  async ask(request: ContextRequest): Promise<unknown> {
    this.#assertRunning()
    try {
      return await this.owner.call(this.pid, request, this.#options)
    } catch (error) {
      throw naming(request, error)
    }
  }

  tell(message: ContextMessage): void {
    this.#assertRunning()
    try {
      this.owner.cast(this.pid, message)
    } catch (error) {
      throw naming(message, error)
    }
  }

  /** A value, from shared memory. @throws BeamlineError NOT_FOUND */
  peek(name: string): unknown {
    this.#assertRunning()
    this.#table ??= tableNow(this.owner, this.pid)
    const found = typeof name === 'string' ? this.#table.read(name) : undefined
    if (found === undefined) throw unknownVariable(name)
    return found.value
  }

  /** Ends the context, and this way to it with the first call; one that failed may be repeated. */
  stop(): Promise<void> {
    this.#stopped ??= this.ask({ kind: 'stop' }).then(
      () => {},
      (error: unknown) => {
        // Its end is the answer, and a system that has been stopped has no contexts.
        if (error instanceof BeamlineError && (error.code === 'NOPROC' || error.code === 'STOPPED')) return
        this.#stopped = undefined
        throw error
      },
    )
    return this.#stopped
  }

  #assertRunning(): void {
    this.owner.system.assertOpen()
    if (this.#stopped !== undefined)
      throw new BeamlineError('STOPPED', `the context '${this.id}' has been stopped: start another`)
  }
}

/** What cannot travel is a part of some message to whoever packs it; its writer knows it by the variable. */
function naming(message: ContextRequest | ContextMessage, error: unknown): unknown {
  if (!(error instanceof BeamlineError) || error.code !== 'NOT_CLONEABLE') return error
  const name = subjectOf(message, String(error.details['path']))
  if (typeof name !== 'string') return error
  const { cause, details } = error
  return new BeamlineError('NOT_CLONEABLE', `${name}: ${error.message}`, { cause, details: { ...details, name } })
}

/** The name of the variable that the part at `path` is about, if any. */
function subjectOf(message: ContextRequest | ContextMessage, path: string): unknown {
  switch (message.kind) {
    case 'define':
      return message.definition.name
    case 'set':
    case 'put':
      return message.write.name
    case 'set-many':
      return message.writes[Number(/^writes\[(\d+)\]/.exec(path)?.[1])]?.name
    default:
      return undefined
  }
}
