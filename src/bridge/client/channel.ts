import { type ChannelOptions, Client, credentials, Metadata } from '@grpc/grpc-js'
import type { BridgeArgs, BridgeTls } from './options.js'

/** The most bytes that a frame of the server may have. */
export const LARGEST_FRAME = 8 * 1024 * 1024

/** A channel of its own for each attempt: one that stands on a dead connection would be used again for ever. */
export function openChannel({ address, tls }: BridgeArgs): Client {
  return new Client(address, tls === undefined ? credentials.createInsecure() : secure(tls), {
    ...options,
    ...(tls?.serverName !== undefined && {
      'grpc.ssl_target_name_override': tls.serverName,
      'grpc.default_authority': tls.serverName,
    }),
  })
}

const options: ChannelOptions = {
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5000,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.enable_retries': 0,
  'grpc.max_receive_message_length': LARGEST_FRAME,
  'grpc.max_send_message_length': -1,
  'grpc.service_config_disable_resolution': 1,
}

function secure({ ca, cert, key }: BridgeTls) {
  return credentials.createSsl(bytes(ca), bytes(key), bytes(cert))
}

const bytes = (pem: string | Uint8Array | undefined): Buffer | null =>
  pem === undefined ? null : Buffer.from(pem as string)

export function callMetadata({ token }: BridgeArgs): Metadata {
  const metadata = new Metadata()
  if (token !== undefined) metadata.set('authorization', `Bearer ${token}`)
  return metadata
}
