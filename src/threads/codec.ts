// STUB: replaced by the codec
export const FULL = -1
export const UNFIT = -2
const scratch = new Float64Array(1)
const half = new Uint8Array(scratch.buffer)
export class ValueWriter {
  readonly #bytes: Uint8Array
  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
  }
  write(value: unknown, at: number, limit: number): number {
    const b = this.#bytes
    if (limit - at < 300) return FULL
    if (typeof value === 'number') {
      b[at] = 1
      scratch[0] = value
      for (let i = 0; i < 8; i++) b[at + 1 + i] = half[i] as number
      return at + 9
    }
    if (value === undefined) {
      b[at] = 2
      return at + 1
    }
    if (value === null) {
      b[at] = 3
      return at + 1
    }
    if (typeof value === 'boolean') {
      b[at] = value ? 4 : 5
      return at + 1
    }
    if (typeof value === 'string' && value.length < 256) {
      b[at] = 6
      b[at + 1] = value.length
      for (let i = 0; i < value.length; i++) {
        const c = value.charCodeAt(i)
        if (c > 255) return UNFIT
        b[at + 2 + i] = c
      }
      return at + 2 + value.length
    }
    return UNFIT
  }
}
export class ValueReader {
  readonly #bytes: Uint8Array
  position = 0
  constructor(memory: SharedArrayBuffer | ArrayBuffer) {
    this.#bytes = new Uint8Array(memory)
  }
  read(at: number, _end: number): unknown {
    const b = this.#bytes
    switch (b[at]) {
      case 1:
        for (let i = 0; i < 8; i++) half[i] = b[at + 1 + i] as number
        this.position = at + 9
        return scratch[0]
      case 2:
        this.position = at + 1
        return undefined
      case 3:
        this.position = at + 1
        return null
      case 4:
        this.position = at + 1
        return true
      case 5:
        this.position = at + 1
        return false
      default: {
        const n = b[at + 1] as number
        let s = ''
        for (let i = 0; i < n; i++) s += String.fromCharCode(b[at + 2 + i] as number)
        this.position = at + 2 + n
        return s
      }
    }
  }
}
