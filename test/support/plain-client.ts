import { fileURLToPath } from 'node:url'
import {
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { assert } from '../harness.js'

const folder = fileURLToPath(new URL('../../../proto/', import.meta.url))

/** Messages as plain objects, with the names of the contract. */
// biome-ignore lint/suspicious/noExplicitAny: what comes is what the contract says
export type Plain = Record<string, any>

const definition = loadSync('snakepit/bridge/bridge.proto', {
  includeDirs: [folder],
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
})
const { snakepit } = loadPackageDefinition(definition) as unknown as {
  snakepit: { bridge: { BridgeService: ServiceClientConstructor } }
}

type Unary = (
  request: Plain,
  metadata: Metadata,
  options: object,
  done: (error: ServiceError | null, response: Plain) => void,
) => void

/** How a call was refused. */
export interface Refused {
  readonly code: number
  readonly text: string
  /** The code of the error of ours. */
  readonly own: string | undefined
}

/** A client made of the contract alone, as grpc-js makes it, which knows nothing of this package. */
export class PlainClient implements Disposable {
  readonly #client: Client & Record<string, unknown>

  constructor(address: string) {
    const { BridgeService } = snakepit.bridge
    this.#client = new BridgeService(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
    }) as never
  }

  call(rpc: string, request: Plain, headers: Readonly<Record<string, string>> = {}): Promise<Plain> {
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(headers)) metadata.set(key, value)
    const method = (this.#client[rpc] as Unary).bind(this.#client)
    return new Promise((resolve, reject) => {
      method(request, metadata, { deadline: Date.now() + 20_000 }, (error, response) =>
        error === null ? resolve(response) : reject(error),
      )
    })
  }

  stream(rpc: string, request: Plain): ClientReadableStream<Plain> {
    const method = this.#client[rpc] as (request: Plain) => ClientReadableStream<Plain>
    return method.call(this.#client, request)
  }

  async refused(rpc: string, request: Plain): Promise<Refused> {
    try {
      await this.call(rpc, request)
    } catch (error) {
      const { code, details, metadata } = error as ServiceError
      return { code, text: details, own: metadata.get('beamline-code')[0]?.toString() }
    }
    return assert.unreachable(`${rpc} was not refused`) as never
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

/** A value as the contract has it. */
export const typed = (type: string, value: unknown): Plain => ({
  type_url: `type.googleapis.com/snakepit.${type}`,
  value: Buffer.from(JSON.stringify(value)),
})

/** What stands in an Any. */
export const untyped = ({ value }: Plain): unknown => JSON.parse(value.toString())

/** A session of a client's. */
export class PlainSession {
  readonly client: PlainClient
  readonly id: string

  constructor(client: PlainClient, id: string) {
    this.client = client
    this.id = id
  }

  static async open(client: PlainClient, id: string): Promise<PlainSession> {
    await client.call('InitializeSession', { session_id: id })
    return new PlainSession(client, id)
  }

  call(rpc: string, request: Plain, headers?: Readonly<Record<string, string>>): Promise<Plain> {
    return this.client.call(rpc, { session_id: this.id, ...request }, headers)
  }

  refused(rpc: string, request: Plain): Promise<Refused> {
    return this.client.refused(rpc, { session_id: this.id, ...request })
  }

  /** @returns the id of the new variable */
  async register(name: string, type: string, value: unknown, more: Plain = {}): Promise<string> {
    const request = { name, type, initial_value: typed(type, value), ...more }
    return (await this.call('RegisterVariable', request))['variable_id']
  }

  async variable(identifier: string): Promise<Plain> {
    return (await this.call('GetVariable', { variable_identifier: identifier }))['variable']
  }

  async value(identifier: string): Promise<unknown> {
    return untyped((await this.variable(identifier))['value'])
  }

  set(identifier: string, type: string, value: unknown, more: Plain = {}): Promise<Plain> {
    return this.call('SetVariable', { variable_identifier: identifier, value: typed(type, value), ...more })
  }

  refusedSet(identifier: string, type: string, value: unknown, more: Plain = {}): Promise<Refused> {
    return this.refused('SetVariable', { variable_identifier: identifier, value: typed(type, value), ...more })
  }
}

/** All that a tool streams. */
export async function chunksOf(session: PlainSession, request: Plain): Promise<Plain[]> {
  const chunks: Plain[] = []
  for await (const chunk of session.client.stream('ExecuteStreamingTool', { session_id: session.id, ...request }))
    chunks.push(chunk as Plain)
  return chunks
}
