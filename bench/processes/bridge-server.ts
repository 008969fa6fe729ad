// A server of the bridge. Its address is its argument; where it listens it tells its parent.
import { ActorSystem, BridgeServer } from '../../src/index.js'

const [, , address = '127.0.0.1:0'] = process.argv
const system = await ActorSystem.start({ threads: 1 })
const server = await BridgeServer.start(system, { address, limits: { maxStreams: 2000 } })
process.send?.({ address: server.address })
process.on('disconnect', () => process.exit())
