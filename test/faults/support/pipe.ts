import type { Socket } from 'node:net'

/** One direction of a connection through a proxy. */
export class Pipe {
  /** Milliseconds by which each byte is late. */
  delay = 0
  passed = 0
  readonly #from: Socket
  readonly #to: Socket
  readonly #cut: () => void
  readonly #late: { readonly due: number; readonly chunk: Buffer | 'end' }[] = []
  #timer: NodeJS.Timeout | undefined
  #paused = false
  #swallowing = false
  #ended = false
  #left = Number.POSITIVE_INFINITY
  #emptied: (() => void) | undefined

  constructor(from: Socket, to: Socket, cut: () => void) {
    this.#from = from
    this.#to = to
    this.#cut = cut
    from.on('data', (chunk: Buffer) => this.#take(chunk))
    from.on('end', () => this.#take('end'))
    to.on('drain', () => this.#flow())
    to.on('close', () => this.end())
  }

  /** Nothing that comes passes any more: not even an end. */
  get stuck(): boolean {
    return this.#swallowing || this.#paused
  }

  pause(): void {
    this.#paused = true
    this.#from.pause()
  }

  resume(): void {
    this.#paused = false
    this.#pass()
    this.#flow()
  }

  swallow(): void {
    this.#swallowing = true
    this.#late.length = 0
    this.#flow()
  }

  finish(): void {
    this.#to.end()
  }

  cutAfter(bytes: number): void {
    this.#left = bytes
  }

  /** Calls once all that was taken has been passed on. */
  flushed(then: () => void): void {
    if (this.#late.length === 0) then()
    else this.#emptied = then
  }

  end(): void {
    this.#ended = true
    this.#late.length = 0
    clearTimeout(this.#timer)
  }

  #take(chunk: Buffer | 'end'): void {
    if (this.#swallowing || this.#ended) return
    this.#late.push({ due: performance.now() + this.delay, chunk })
    this.#pass()
  }

  #pass(): void {
    clearTimeout(this.#timer)
    for (let next = this.#late[0]; next !== undefined && !this.#paused; next = this.#late[0]) {
      const wait = next.due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.#pass(), wait)
        return
      }
      this.#late.shift()
      if (next.chunk === 'end') this.#to.end()
      else this.#write(next.chunk)
      if (this.#ended) return
    }
    if (this.#late.length === 0) this.#emptied?.()
  }

  #write(chunk: Buffer): void {
    if (!this.#to.writable) return
    const whole = chunk.length < this.#left
    const bytes = whole ? chunk : chunk.subarray(0, this.#left)
    this.#left -= bytes.length
    this.passed += bytes.length
    if (!whole) {
      this.end()
      // A reset at once would take back what the other end has not read yet.
      this.#to.write(bytes, () => {
        this.#timer = setTimeout(this.#cut, 10)
      })
      return
    }
    if (!this.#to.write(bytes)) this.#from.pause()
  }

  #flow(): void {
    if (!this.#paused && !this.#from.destroyed) this.#from.resume()
  }
}
