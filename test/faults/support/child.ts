import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** Between a test and a child process: a request with its number, and its answer. */
export interface Asked<R> {
  readonly id: number
  readonly request: R
}
export type Answered = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string })

/** A program of its own that can be killed and frozen, and is asked over IPC. */
export class Child<R> implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  readonly #gone: Promise<unknown>
  #last = 0
  #over = false

  private constructor(file: URL, spec: unknown, before: readonly URL[]) {
    this.#process = fork(file, [JSON.stringify(spec)], {
      execArgv: ['--expose-gc', '--enable-source-maps', ...before.flatMap(({ href }) => ['--import', href])],
      serialization: 'advanced',
    })
    this.#process.on('message', (answer: Answered) => {
      const waiting = this.#waiting.get(answer.id)
      this.#waiting.delete(answer.id)
      if ('error' in answer) waiting?.reject(new Error(answer.error))
      else waiting?.resolve(answer.value)
    })
    this.#gone = once(this.#process, 'exit').then(([code, signal]) => {
      this.#over = true
      for (const { reject } of this.#waiting.values()) reject(new Error(`the child has ended (${code ?? signal})`))
    })
  }

  /** Resolves, with what it says, once it is ready. `before` are modules that each of its threads loads first. */
  static async start<R>(
    file: URL,
    spec: unknown,
    before: readonly URL[] = [],
  ): Promise<[child: Child<R>, ready: unknown]> {
    const child = new Child<R>(file, spec, before)
    return [child, await child.#answer(0)]
  }

  get pid(): number {
    return this.#process.pid as number
  }

  ask(request: R): Promise<unknown> {
    const id = ++this.#last
    const answer = this.#answer(id)
    this.#process.send({ id, request } satisfies Asked<R>)
    return answer
  }

  #answer(id: number): Promise<unknown> {
    if (this.#over) return Promise.reject(new Error('the child has ended'))
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  get isGone(): boolean {
    return this.#over
  }

  freeze(): void {
    this.#process.kill('SIGSTOP')
  }

  thaw(): void {
    this.#process.kill('SIGCONT')
  }

  /** As nothing else ends it: it has no time for a last word. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.#gone
  }

  /** Asks it to end, and waits until it has. */
  async terminate(): Promise<void> {
    this.#process.kill('SIGTERM')
    await this.#gone
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}

/** In the child: answers what it is asked. */
export function answering<R>(handle: (request: R) => Promise<unknown>, ready: unknown): void {
  const say = (answer: Answered) => process.connected && process.send?.(answer)
  process.on('message', ({ id, request }: Asked<R>) => {
    handle(request).then(
      (value) => say({ id, value }),
      (error: unknown) => say({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
  })
  process.on('disconnect', () => process.exit())
  say({ id: 0, value: ready })
}

/** The argument with which a child was started. */
export const specOf = <S>(): S => JSON.parse(process.argv[2] as string) as S
