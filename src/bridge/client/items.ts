import { ClientItem } from '../gen/snakepit/bridge/watch/v1/watch.js'

/** The bytes of one thing that the client says. */
export const encoded = (kind: NonNullable<ClientItem['kind']>): Uint8Array => ClientItem.encode({ kind }).finish()
