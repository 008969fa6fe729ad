import { type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import {
  BridgeServiceClient,
  type ExecuteToolRequest,
  type ExecuteToolResponse,
  type ToolChunk,
  type ToolRegistration,
  type ToolSpec,
} from '../../gen/snakepit/bridge/bridge.js'
import { formatAddress } from '../address.js'
import { addressIn, mayBeCalled } from './remote-address.js'

const options = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.enable_retries': 0,
}

/** The servers that a call has come through, by their ids: one that it comes back to would go on with it for ever. */
const VIA = 'beamline-via'
/** Servers that a call may come through. */
const MOST_HOPS = 8

/** @returns what the next server is told; undefined when the call must not go on */
export function viaOf(metadata: Metadata, serverId: string): readonly string[] | undefined {
  const before = metadata.get(VIA).map(String)
  return before.includes(serverId) || before.length >= MOST_HOPS ? undefined : [...before, serverId]
}

/** When a call is to end, and where it has been. */
export interface CallLimits {
  readonly via: readonly string[]
  readonly deadline: Date | number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A tool of a worker, which is another server of the same service. */
export class RemoteTool {
  readonly registration: ToolRegistration
  readonly #workerId: string
  readonly #address: string | undefined
  readonly #isAllowed: boolean
  #client: BridgeServiceClient | undefined

  /** @param allowed where tools may be besides on this machine's loopback addresses: see `mayBeCalled` */
  constructor(registration: ToolRegistration, workerId: string, allowed: readonly string[]) {
    this.registration = registration
    this.#workerId = workerId
    const address = addressIn([registration.metadata['address'], workerId])
    this.#address = address && formatAddress(address)
    this.#isAllowed = address !== undefined && mayBeCalled(address, allowed)
  }

  get spec(): ToolSpec {
    return { ...this.registration, requiredVariables: [] }
  }

  /** Why it cannot be asked, if so. */
  get unreachable(): string | undefined {
    const { name } = this.registration
    if (this.#address !== undefined) {
      if (this.#isAllowed) return undefined
      return `Tool ${name} is not called at ${this.#address}: only workers at loopback addresses are, and those that the server's option remoteTools allows`
    }
    return `Tool ${name} of the worker '${this.#workerId}' cannot be reached: register it with the worker's address, such as 127.0.0.1:50099, as worker_id or as address in its metadata`
  }

  execute(request: ExecuteToolRequest, { deadline, signal, via }: CallLimits): Promise<ExecuteToolResponse> {
    return new Promise((resolve, reject) => {
      const call = this.#open().executeTool(request, metadataOf(via), { deadline }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      )
      cancelWith(signal, call)
    })
  }

  stream(request: ExecuteToolRequest, { deadline, signal, via }: CallLimits): ClientReadableStream<ToolChunk> {
    const call = this.#open().executeStreamingTool(request, metadataOf(via), { deadline })
    cancelWith(signal, call)
    return call
  }

  #open(): BridgeServiceClient {
    this.#client ??= new BridgeServiceClient(this.#address as string, credentials.createInsecure(), options)
    return this.#client
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }
}

function metadataOf(via: readonly string[]): Metadata {
  const metadata = new Metadata()
  for (const server of via) metadata.add(VIA, server)
  return metadata
}

function cancelWith(signal: AbortSignal, call: { cancel(): void }): void {
  if (signal.aborted) call.cancel()
  else signal.addEventListener('abort', () => call.cancel(), { once: true })
}
