import type { Http2Session } from 'node:http2'
import type { Server } from '@grpc/grpc-js'

/** The part of gRPC's server that it shows to nobody; looked for, and not relied on. */
interface Inside {
  readonly http2Servers?: ReadonlyMap<unknown, { readonly sessions?: ReadonlySet<Http2Session> }>
}

/**
 * Resolves when every client has acknowledged what it was sent before. A client that hears of an answer and of the end of
 * its connection at one moment may take that for a failure, so it must have had the one before the other comes.
 */
export async function acknowledged(server: Server): Promise<void> {
  const { http2Servers } = server as unknown as Inside
  const sessions = Array.from(http2Servers?.values() ?? [], (one) => [...(one.sessions ?? [])]).flat()
  // The end of an answer is sent once the answer itself is: the first round is for that.
  for (let round = 0; round < 2; round++) await Promise.all(sessions.map(echoed))
}

function echoed(session: Http2Session): Promise<void> {
  return new Promise((resolve) => {
    try {
      if (session.destroyed || !session.ping(() => resolve())) resolve()
    } catch {
      resolve()
    }
  })
}
