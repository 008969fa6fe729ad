import { setImmediate } from 'node:timers/promises'
import type { Behaviour } from '../../../actors/behaviour.js'
import { Call, Cast, isDown } from '../../../actors/messages.js'
import type { Process } from '../../../actors/process.js'
import type { Pid } from '../../../threads/pid.js'
import { jsonOf } from '../../wire/any-codec.js'
import type { Keepsake } from './keepsakes.js'
import type { KeptIn, ToolAnswer, ToolMessage, ToolRequest } from './requests.js'
import { specOf, type Tool } from './tool-spec.js'

/** A call that is being answered. */
interface Running {
  readonly caller: Pid
  readonly abort: AbortController
  parts?: AsyncIterator<unknown>
}

/** What is kept of one session. */
interface Keeping extends Pick<KeptIn, 'session' | 'createdAt'> {
  readonly keepsakes: Map<string, Keepsake>
}

const missing: ToolAnswer = { kind: 'missing' }
const end: ToolAnswer = { kind: 'end' }

/** The process that runs the host's tools, on the thread of the host, any number at a time. */
export class HostProcess implements Behaviour {
  readonly #self: Process
  readonly #tools: ReadonlyMap<string, Tool>
  readonly #running = new Map<string, Running>()
  readonly #monitored = new Set<string>()
  readonly #kept = new Map<string, Keeping>()

  constructor(self: Process, tools: ReadonlyMap<string, Tool>) {
    this.#self = self
    this.#tools = tools
    self.signal.addEventListener('abort', () => this.#cancelAll(() => true))
  }

  handle(message: unknown): void {
    if (message instanceof Call) {
      const { from } = message
      void this.#answer(message.request as ToolRequest, from.pid).then((answer) => this.#self.reply(from, answer))
    } else if (message instanceof Cast) {
      this.#told(message.request as ToolMessage)
    } else if (isDown(message)) {
      this.#monitored.delete(String(message.pid))
      this.#cancelAll(({ caller }) => String(caller) === String(message.pid))
    }
  }

  #told(message: ToolMessage): void {
    if (message.kind === 'cancel') return this.#cancel(message.id)
    const { session, createdAt } = message
    const key = `${createdAt} ${session}`
    if (message.kind === 'forget') return void this.#kept.delete(key)
    const kept = this.#kept.get(key) ?? { session, createdAt, keepsakes: new Map() }
    kept.keepsakes.set(message.key, message.keepsake)
    this.#kept.set(key, kept)
  }

  async #answer(request: ToolRequest, caller: Pid): Promise<unknown> {
    try {
      if (request.kind === 'list') return [...this.#tools.values()].map(specOf)
      if (request.kind === 'kept') return [...this.#kept.values()].map(keptOf)
      return request.kind === 'run' ? await this.#run(request, caller) : await this.#next(request.id)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return { kind: 'failed', message } satisfies ToolAnswer
    }
  }

  async #run(request: ToolRequest & { kind: 'run' }, caller: Pid): Promise<ToolAnswer> {
    const { id, session, parameters, metadata, streaming } = request
    const tool = this.#tools.get(request.tool)
    if (tool === undefined) return missing
    const running: Running = { caller, abort: new AbortController() }
    this.#running.set(id, running)
    this.#mind(caller)
    let isStream = false
    try {
      const answer = await tool.run(parameters, { session, metadata, signal: running.abort.signal })
      if (!isIterable(answer)) return { kind: 'value', json: jsonOf(answer) }
      const parts = answer[Symbol.asyncIterator]()
      running.parts = parts
      // It may have been cancelled before there was anything to end.
      if (running.abort.signal.aborted) this.#end(parts)
      if (!streaming) return { kind: 'value', json: jsonOf(await lastOf(parts, running.abort.signal)) }
      isStream = true
      return { kind: 'stream' }
    } finally {
      if (!isStream) this.#running.delete(id)
    }
  }

  async #next(id: string): Promise<ToolAnswer> {
    const parts = this.#running.get(id)?.parts
    if (parts === undefined) return end
    try {
      const { done, value } = await parts.next()
      if (done !== true) return { kind: 'value', json: jsonOf(value) }
    } catch (error) {
      this.#cancel(id)
      throw error
    }
    this.#running.delete(id)
    return end
  }

  /** What a caller that has died began is of no use to anybody. */
  #mind(caller: Pid): void {
    const key = String(caller)
    if (this.#monitored.has(key)) return
    this.#monitored.add(key)
    this.#self.monitor(caller)
  }

  #cancelAll(isOver: (running: Running) => boolean): void {
    for (const [id, running] of [...this.#running]) if (isOver(running)) this.#cancel(id)
  }

  #cancel(id: string): void {
    const running = this.#running.get(id)
    if (running === undefined) return
    this.#running.delete(id)
    running.abort.abort()
    if (running.parts !== undefined) this.#end(running.parts)
  }

  /** Whoever asks no more lets it clean up; what goes wrong there is nobody's. */
  #end(parts: AsyncIterator<unknown>): void {
    Promise.resolve(parts.return?.()).catch(() => {})
  }
}

const keptOf = ({ keepsakes, ...of }: Keeping): KeptIn => ({ ...of, keepsakes: [...keepsakes.values()] })

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

async function lastOf(parts: AsyncIterator<unknown>, signal: AbortSignal): Promise<unknown> {
  let last: unknown
  for (let count = 1; !signal.aborted; count++) {
    const { done, value } = await parts.next()
    if (done === true) break
    last = value
    // Who never waits for anything would let nothing else happen on this thread, a cancellation least of all.
    if (count % 256 === 0) await setImmediate()
  }
  return last
}
