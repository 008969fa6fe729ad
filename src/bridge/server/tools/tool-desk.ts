import { BeamlineError } from '../../../errors.js'
import type { ToolRegistration, ToolSpec as WireSpec } from '../../gen/snakepit/bridge/bridge.js'
import { readJson } from '../../wire/json-text.js'
import type { ServiceDeps } from '../service-deps.js'
import type { Session } from '../session.js'
import { PerSession } from './per-session.js'
import { RemoteTool } from './remote-tool.js'
import type { ToolAnswer, ToolList, ToolMessage, ToolRequest } from './requests.js'
import { encodeSpec } from './tool-spec.js'

type Needed = 'self' | 'hostTools' | 'serverId' | 'remoteTools'

/** A call of a host's tool, as far as it is told to the host. */
export type HostCall = Omit<ToolRequest & { kind: 'run' }, 'kind' | 'id'>

const nobodyWaits: ToolAnswer = { kind: 'failed', message: 'nobody waits for the answer any more' }

const closeAll = (tools: Map<string, RemoteTool>) => {
  for (const tool of tools.values()) tool.close()
}

/** The tools of a server: those of the host, and in each session those of its workers. */
export class ToolDesk {
  readonly #deps: Pick<ServiceDeps, Needed>
  readonly #remote = new PerSession(() => new Map<string, RemoteTool>(), closeAll)
  /** Resolves once those tools are known again that were before the server's thread died. */
  ready: Promise<void> = Promise.resolve()
  #calls = 0

  constructor(deps: Pick<ServiceDeps, Needed>) {
    this.#deps = deps
  }

  /** Tools of the same name are replaced. */
  register(session: Session, registrations: readonly ToolRegistration[], workerId: string): Record<string, string> {
    const tools = this.#remote.of(session)
    const ids: [string, string][] = []
    for (const registration of registrations) {
      const { name } = registration
      if (name === '') throw new BeamlineError('INVALID_TYPE', 'a tool has no name: give it one')
      tools.get(name)?.close()
      tools.set(name, new RemoteTool(registration, workerId, this.#deps.remoteTools))
      ids.push([name, `${session.id}:${name}`])
    }
    return Object.fromEntries(ids)
  }

  /** How many tools the workers of a session have registered. */
  count(session: Session): number {
    return this.#remote.peek(session)?.size ?? 0
  }

  remote(session: Session, name: string): RemoteTool | undefined {
    return this.#remote.peek(session)?.get(name)
  }

  /** All tools of the host. */
  hostTools(): Promise<ToolList> {
    return this.#ask({ kind: 'list' }) as Promise<ToolList>
  }

  /** Those of which clients are told. */
  async exposed(): Promise<WireSpec[]> {
    return (await this.hostTools()).filter(({ exposed }) => exposed).map(encodeSpec)
  }

  async isExposed(name: string): Promise<boolean> {
    return (await this.hostTools()).some((tool) => tool.name === name && tool.exposed === true)
  }

  /** The answer of a host's tool as a value. @throws BeamlineError INVALID_TYPE when it fails */
  async runHostTool(tool: string, session: Session, parameters: Readonly<Record<string, unknown>>): Promise<unknown> {
    const call = { tool, session: session.id, parameters, metadata: {}, streaming: false }
    const answer = await this.run(call, session.signal)
    if (answer.kind === 'value') return readJson(answer.json)
    const message = answer.kind === 'failed' ? answer.message : `Tool ${tool} is not there any more`
    throw new BeamlineError('INVALID_TYPE', message, { details: { tool } })
  }

  /** @param signal aborts when nobody waits any more */
  async run(call: HostCall, signal: AbortSignal): Promise<ToolAnswer> {
    return this.#asking(this.#newId(), signal, (id) => this.#ask({ kind: 'run', id, ...call }) as Promise<ToolAnswer>)
  }

  /** The parts of the answer of a host's tool, each as JSON; or why there is none. */
  async *stream(call: HostCall, signal: AbortSignal): AsyncGenerator<ToolAnswer, void> {
    const id = this.#newId()
    let isOver = false
    try {
      let answer = await this.#asking(id, signal, () => this.#ask({ kind: 'run', id, ...call }) as Promise<ToolAnswer>)
      if (answer.kind !== 'stream') {
        isOver = true
        return yield answer
      }
      while (!signal.aborted) {
        answer = await this.#asking(id, signal, () => this.#ask({ kind: 'next', id }) as Promise<ToolAnswer>)
        isOver = answer.kind !== 'value'
        if (answer.kind === 'end') return
        yield answer
        if (isOver) return
      }
    } finally {
      if (!isOver) this.#cancel(id)
    }
  }

  async #asking(id: string, signal: AbortSignal, ask: (id: string) => Promise<ToolAnswer>): Promise<ToolAnswer> {
    if (signal.aborted) return nobodyWaits
    const cancel = () => this.#cancel(id)
    signal.addEventListener('abort', cancel, { once: true })
    try {
      return await ask(id)
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }

  #newId(): string {
    this.#calls++
    return `${this.#deps.serverId}:${this.#calls}`
  }

  #cancel(id: string): void {
    this.#deps.self.cast(this.#deps.hostTools, { kind: 'cancel', id } satisfies ToolMessage)
  }

  #ask(request: ToolRequest): Promise<unknown> {
    return this.#deps.self.call(this.#deps.hostTools, request, { timeout: Number.POSITIVE_INFINITY })
  }
}
