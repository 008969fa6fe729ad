import { credentials } from '@grpc/grpc-js'
import { BridgeServiceClient, type SetVariableResponse } from '../../src/bridge/gen/snakepit/bridge/bridge.js'

/** A client in another language, as far as the server can see: it speaks the compatible service and knows no more. */
export class ForeignClient {
  readonly #client: BridgeServiceClient
  readonly #session: string

  constructor(address: string, session: string) {
    this.#client = new BridgeServiceClient(address, credentials.createInsecure())
    this.#session = session
  }

  set(name: string, type: string, value: unknown, metadata: Record<string, string> = {}): Promise<SetVariableResponse> {
    const request = {
      sessionId: this.#session,
      variableIdentifier: name,
      value: { typeUrl: `type.googleapis.com/snakepit.${type}`, value: Buffer.from(JSON.stringify(value)) },
      metadata,
      expectedVersion: 0,
      binaryValue: Buffer.alloc(0),
    }
    return new Promise((resolve, reject) => {
      this.#client.setVariable(request, (error, response) => (error ? reject(error) : resolve(response)))
    })
  }

  /** The values of a variable, from its present one on. */
  async *values(name: string): AsyncGenerator<unknown> {
    const stream = this.#client.watchVariables({
      sessionId: this.#session,
      variableIdentifiers: [name],
      includeInitialValues: true,
    })
    // It is canceled when the values are no longer wanted, and then says so.
    stream.on('error', () => {})
    try {
      for await (const { updateType, variable } of stream) {
        if (updateType !== 'initial_value' && updateType !== 'value_change') continue
        yield JSON.parse(Buffer.from(variable?.value?.value ?? '').toString())
      }
    } finally {
      stream.cancel()
    }
  }

  close(): void {
    this.#client.close()
  }
}
