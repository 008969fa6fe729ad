import { BeamlineError, shown } from '../../errors.js'
import { type Behaviour, behaviour } from '../behaviour.js'
import { Entries, type EntryName } from '../entry.js'
import { Call, Cast, type From } from '../messages.js'
import { Process } from '../process.js'
import { type AnyFunction, Closures, closuresOf } from './closures.js'
import { type AgentTask, isAgentTask } from './requests.js'

/** How an agent elsewhere is made: the function that makes its state, and what that is given. */
export interface AgentSource {
  readonly init: EntryName
  readonly args: readonly unknown[]
}

/** The process of an agent whose state is made by a module's export. Loaded by name. */
export const agentActor = behaviour<AgentSource>(async (self, { init, args }) => {
  const make = (await new Entries(Process.hostOf(self).load).load(init)) as AnyFunction
  return agentOf(self, () => make(...(args as never[])))
})

export async function agentOf(self: Process, init: () => unknown): Promise<Behaviour> {
  return new AgentActor(self, await init())
}

/** Applies functions to its state, one at a time. */
class AgentActor implements Behaviour {
  readonly #self: Process
  readonly #entries: Entries
  readonly #closures = new Closures()
  #state: unknown

  constructor(self: Process, state: unknown) {
    this.#self = self
    this.#entries = new Entries(Process.hostOf(self).load)
    this.#state = state
    const ofThread = closuresOf(self)
    ofThread.set(self.pid.toString(), this.#closures)
    self.signal.addEventListener('abort', () => ofThread.delete(self.pid.toString()))
  }

  handle(message: unknown): void | Promise<void> {
    if (message instanceof Call) return this.#serve(message.from, message.request)
    if (message instanceof Cast) return this.#serve(undefined, message.request)
  }

  systemGetState(): unknown {
    return this.#state
  }

  systemReplaceState(state: unknown): void {
    this.#state = state
  }

  #serve(from: From | undefined, request: unknown): void | Promise<void> {
    if (isAgentTask(request)) return this.#run(from, request)
    this.#refuse(from, new BeamlineError('NOT_FOUND', `an agent is asked by its handle, not by ${shown(request)}`))
  }

  #run(from: From | undefined, task: AgentTask): void | Promise<void> {
    const { what } = task
    const found = typeof what === 'number' ? this.#closures.take(what) : this.#entries.load(what)
    if (found === undefined) return this.#refuse(from, unknownClosure())
    if (typeof found === 'function') return this.#apply(from, task, found as AnyFunction)
    return found.then(
      (loaded) => this.#apply(from, task, loaded as AnyFunction),
      (error: BeamlineError) => this.#refuse(from, error),
    )
  }

  #apply(from: From | undefined, task: AgentTask, apply: AnyFunction): void | Promise<void> {
    const result = apply(...([this.#state, ...task.args] as never[]))
    if (result instanceof Promise) return result.then((value) => this.#finish(from, task, value))
    this.#finish(from, task, result)
  }

  /** An answer that no message can carry is refused, and has changed nothing. */
  #finish(from: From | undefined, { kind }: AgentTask, result: unknown): void {
    const [answer, state] =
      kind === 'get' ? [result, this.#state] : kind === 'update' ? [undefined, result] : pairOf(result)
    try {
      if (from !== undefined) this.#self.reply(from, answer)
      this.#state = state
    } catch (error) {
      this.#refuse(from, error as BeamlineError)
    }
  }

  #refuse(from: From | undefined, error: BeamlineError): void {
    if (from !== undefined) this.#self.replyError(from, error)
    else process.emitWarning(`an agent was told what it cannot do: ${error.message}`, { code: 'BEAMLINE_AGENT' })
  }
}

function pairOf(result: unknown): readonly [unknown, unknown] {
  if (Array.isArray(result) && result.length === 2) return result as [unknown, unknown]
  throw new BeamlineError('INVALID_TYPE', `getAndUpdate: ${shown(result)} is no pair: return [reply, state]`)
}

const unknownClosure = (): BeamlineError =>
  new BeamlineError('BAD_ENTRY', 'no such closure waits for this agent: use a handle of its thread')
