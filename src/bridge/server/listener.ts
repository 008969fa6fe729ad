import { chmod, lstat, rm, stat } from 'node:fs/promises'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import { BeamlineError } from '../../errors.js'
import { type Address, formatAddress } from './address.js'

/**
 * The sockets of a server. They are our own, and given to gRPC as they come: so the error of a bind has its code, and what
 * is open can be cut off, which gRPC's own `forceShutdown` does not do.
 */
export class Listener {
  readonly address: Address
  readonly #server: Server
  readonly #sockets: Set<Socket>

  private constructor(address: Address, server: Server, sockets: Set<Socket>) {
    this.address = address
    this.#server = server
    this.#sockets = sockets
  }

  /** @throws BeamlineError UNAVAILABLE for an address in use, and whatever else keeps it from being bound */
  static async open(address: Address, taken: (socket: Socket) => void): Promise<Listener> {
    const sockets = new Set<Socket>()
    const server = createServer({ noDelay: true }, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      // What a peer does to its connection is no error of ours.
      socket.on('error', () => {})
      taken(socket)
    })
    if (address.kind === 'unix') await clearPath(address.path)
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(address, 4096, () => resolve())
      })
      // The connections go on: it is the next one that cannot be had, as when there are too many files.
      server.on('error', () => {})
      if (address.kind === 'unix') await chmod(address.path, 0o600)
    } catch (error) {
      server.close()
      throw notBound(address, error as NodeJS.ErrnoException)
    }
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    return new Listener(address.kind === 'unix' ? address : { ...address, port }, server, sockets)
  }

  get connections(): number {
    return this.#sockets.size
  }

  /** Takes no more connections, and removes the file of a unix socket. */
  close(): void {
    this.#server.close()
  }

  /** Cuts off whoever is still connected. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}

/** A file that a server has left which was killed is no obstacle; anything else is. */
async function clearPath(path: string): Promise<void> {
  const address: Address = { kind: 'unix', path }
  // Node says only that it may not.
  const folder = await stat(dirname(path)).catch((error: NodeJS.ErrnoException) => error)
  if (folder instanceof Error) throw notBound(address, folder)
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw refused('UNAVAILABLE', address, 'EEXIST', 'a file is there that is no socket')
  const answer = await new Promise<string>((resolve) => {
    const probe = createConnection({ path })
    probe.once('connect', () => resolve('connected'))
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'))
    probe.once('close', () => probe.destroy())
    probe.once('connect', () => probe.destroy())
  })
  if (answer === 'ECONNREFUSED') await rm(path, { force: true })
  else if (answer !== 'ENOENT') throw refused('UNAVAILABLE', address, 'EADDRINUSE', 'somebody listens there already')
}

function notBound(address: Address, error: NodeJS.ErrnoException): BeamlineError {
  const code = error.code ?? 'error'
  switch (code) {
    case 'EADDRINUSE':
      return refused('UNAVAILABLE', address, code, 'somebody listens there already', error)
    case 'EACCES':
    case 'EPERM':
      return refused('PERMISSION_DENIED', address, code, 'this user may not listen there', error)
    case 'ENOENT':
    case 'ENOTDIR':
      if (address.kind === 'unix')
        return refused('NOT_FOUND', address, code, 'there is no such folder: make it, for its owner alone', error)
      break
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return refused('NOT_FOUND', address, code, 'this machine has no such address', error)
  }
  return refused('UNAVAILABLE', address, code, error.message, error)
}

function refused(
  code: 'UNAVAILABLE' | 'PERMISSION_DENIED' | 'NOT_FOUND',
  address: Address,
  reason: string,
  why: string,
  cause?: unknown,
): BeamlineError {
  const where = formatAddress(address)
  const text = `cannot listen at ${where}: ${why} (${reason}): give another address, or end whoever has this one`
  return new BeamlineError(code, text, { cause, details: { option: 'address', address: where, reason } })
}
