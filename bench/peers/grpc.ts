import { once } from 'node:events'
import { type Client, type ClientDuplexStream, type ClientReadableStream, credentials } from '@grpc/grpc-js'
import type { Child } from '../harness/child.js'
import type { Store } from '../harness/store.js'
import { type Item, RawClient } from './grpc-service.js'

type Answer = (error: Error | null, item: Item) => void

/** The methods that grpc-js makes of the service. */
type Raw = Client & {
  set(item: Item, answer: Answer): void
  watch(item: Item): ClientReadableStream<Item>
  session(): ClientDuplexStream<Item, Item>
}

const x = (value: number): Item => ({ name: 'x', value })

const open = ({ address }: Child): Raw => new RawClient(address, credentials.createInsecure()) as unknown as Raw

/** A set by call, of whose change a stream tells. */
export class UnaryAndStream implements Store {
  readonly by = 'raw grpc-js, call and stream'
  onChange: (value: number) => void = () => {}
  readonly #client: Raw

  private constructor(client: Raw) {
    this.#client = client
  }

  static async open(server: Child): Promise<UnaryAndStream> {
    const peer = new UnaryAndStream(open(server))
    await peer.watch((value) => peer.onChange(value))
    return peer
  }

  /** One more stream that is told of the changes, once the server tells it. */
  async watch(changed: (value: number) => void): Promise<void> {
    const stream = this.#client.watch(x(0))
    await once(stream, 'data')
    stream.on('data', ({ value }: Item) => changed(value))
  }

  readonly set = (value: number): Promise<Item> =>
    new Promise((resolve, reject) => {
      this.#client.set(x(value), (error, item) => (error ? reject(error) : resolve(item)))
    })
}

/** A stream on which the server gives back what it gets: the least that a change can take. */
export class Echo implements Store {
  readonly by = 'raw grpc-js, echo on one stream'
  onChange: (value: number) => void = () => {}
  readonly #stream: ClientDuplexStream<Item, Item>

  constructor(server: Child) {
    this.#stream = open(server).session()
    this.#stream.on('data', ({ value }: Item) => this.onChange(value))
  }

  readonly set = (value: number): void => void this.#stream.write(x(value))
}
