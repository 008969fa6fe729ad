import { type ClientReadableStream, credentials, Metadata } from '@grpc/grpc-js'
import {
  BridgeServiceClient,
  type ExecuteToolRequest,
  type ExecuteToolResponse,
  type ToolChunk,
  type ToolRegistration,
  type ToolSpec,
} from '../../gen/snakepit/bridge/bridge.js'

const options = {
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 5000,
  'grpc.enable_retries': 0,
}

/** When a call is to end. */
export interface CallLimits {
  readonly deadline: Date | number
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A tool of a worker, which is another server of the same service. */
export class RemoteTool {
  readonly registration: ToolRegistration
  readonly #workerId: string
  readonly #address: string | undefined
  #client: BridgeServiceClient | undefined

  constructor(registration: ToolRegistration, workerId: string) {
    this.registration = registration
    this.#workerId = workerId
    this.#address = [registration.metadata['address'], workerId].find(isAddress)
  }

  get spec(): ToolSpec {
    return { ...this.registration, requiredVariables: [] }
  }

  /** Why it cannot be asked, if so. */
  get unreachable(): string | undefined {
    if (this.#address !== undefined) return undefined
    const { name } = this.registration
    return `Tool ${name} of the worker '${this.#workerId}' cannot be reached: register it with the worker's address, such as 127.0.0.1:50099, as worker_id or as address in its metadata`
  }

  execute(request: ExecuteToolRequest, { deadline, signal }: CallLimits): Promise<ExecuteToolResponse> {
    return new Promise((resolve, reject) => {
      const call = this.#open().executeTool(request, new Metadata(), { deadline }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      )
      signal.addEventListener('abort', () => call.cancel(), { once: true })
    })
  }

  stream(request: ExecuteToolRequest, { deadline, signal }: CallLimits): ClientReadableStream<ToolChunk> {
    const call = this.#open().executeStreamingTool(request, new Metadata(), { deadline })
    signal.addEventListener('abort', () => call.cancel(), { once: true })
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

const isAddress = (text: string | undefined): boolean =>
  text !== undefined && (/^unix:\/?\S+$/.test(text) || /^(\[[\da-fA-F:.]+\]|[\w.-]+):\d{1,5}$/.test(text))
