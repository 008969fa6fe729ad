import type { Link } from '../../src/threads/link.js'
import type { Signal } from '../../src/threads/signal.js'

export const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) })

/** For each of the ways that a signal may take over a link in shared memory a value with a number. */
const makers: readonly ((serial: number) => unknown)[] = [
  (serial) => serial,
  (serial) => ({ serial, text: 'short' }),
  (serial) => ({ serial, map: new Map([[1, 2]]) }),
  (serial) => ({ serial, deep: nested(30) }),
  (serial) => ({ serial, text: 'x'.repeat(3000) }),
  (serial) => ({ serial, text: 'x'.repeat(80_000) }),
  (serial) => ({ serial, shared: new SharedArrayBuffer(8) }),
  (serial) => ({ serial, buffer: new ArrayBuffer(serial % 50) }),
]

export const ROUTES = makers.length

export const message = (data: unknown, tagged = false): Signal => ({
  kind: 'message',
  to: [2, 5, 6],
  body: { data, tagged },
  cast: false,
})

export const dataOf = (signal: unknown): unknown => (signal as { body: { data: unknown } }).body.data

export function sendBy(route: number, serial: number, link: Link): void {
  const data = (makers[route] as (serial: number) => { buffer?: ArrayBuffer })(serial)
  link.send(message(data), data.buffer === undefined ? undefined : [data.buffer])
}

/** The number of what {@link sendBy} sent. */
export function serialOf(signal: unknown): number {
  const data = dataOf(signal)
  return typeof data === 'number' ? data : (data as { serial: number }).serial
}
