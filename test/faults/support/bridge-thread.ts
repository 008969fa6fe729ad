import type { ActorSystem, Pid } from '../../../src/index.js'

/** The process that is a server's gRPC side at present; there must be one server in the system. */
export async function bridgeThread(system: ActorSystem): Promise<Pid> {
  const infos = await Promise.all(system.processes().map((pid) => system.info(pid)))
  const found = infos.find((info) => info?.label === 'BridgeServer')
  if (found === undefined) throw new Error('no server runs at present')
  return found.pid
}
