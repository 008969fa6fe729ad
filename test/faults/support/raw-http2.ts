import { once } from 'node:events'
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2'
import { connect, type Socket } from 'node:net'
import { endpoint } from './tcp-proxy.js'

export interface Exchange {
  /** Of the trailers, or of a response that is nothing but trailers; undefined for a stream that was reset. */
  readonly grpcStatus: number | undefined
  readonly grpcMessage: string
  readonly httpStatus: number | undefined
}

/** A message as gRPC frames it; what the frame says of it may be a lie. */
export function framed(message: Uint8Array, { compressed = 0, length = message.length } = {}): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt8(compressed, 0)
  head.writeUInt32BE(length >>> 0, 1)
  return Buffer.concat([head, message])
}

const grpcHeaders = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }

/** HTTP/2 without gRPC: says to a server what no gRPC client would. */
export class RawHttp2 implements Disposable {
  readonly #session: ClientHttp2Session

  constructor(address: string) {
    this.#session = connectHttp2('http://beamline', { createConnection: () => connect(endpoint(address)) })
    // What becomes of it shows in each exchange.
    this.#session.on('error', () => {})
  }

  /** One request with a body, until the server has ended it. */
  exchange(path: string, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<Exchange> {
    const stream = this.#session.request({ ...grpcHeaders, ':path': path, ...headers })
    let found: IncomingHttpHeaders = {}
    stream.on('response', (response) => {
      found = { ...found, ...response }
    })
    stream.on('trailers', (trailers) => {
      found = { ...found, ...trailers }
    })
    stream.on('error', () => {})
    stream.resume()
    stream.end(body)
    return new Promise((resolve) => {
      stream.on('close', () => {
        const status = found['grpc-status']
        resolve({
          grpcStatus: status === undefined ? undefined : Number(status),
          grpcMessage: decodeURIComponent(String(found['grpc-message'] ?? '')),
          httpStatus: found[':status'] === undefined ? undefined : Number(found[':status']),
        })
      })
    })
  }

  [Symbol.dispose](): void {
    this.#session.destroy()
  }
}

/** Sends bytes on a connection of their own, until the server closes it or `patience` is over. */
export async function throwBytes(address: string, bytes: Uint8Array, patience = 200): Promise<void> {
  const socket: Socket = connect(endpoint(address))
  socket.on('error', () => {})
  socket.on('data', () => {})
  socket.write(bytes)
  const timer = setTimeout(() => socket.destroy(), patience)
  await once(socket, 'close')
  clearTimeout(timer)
}
