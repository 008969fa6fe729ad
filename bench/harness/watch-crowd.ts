import { randomUUID } from 'node:crypto'
import { credentials } from '@grpc/grpc-js'
import {
  type ClientItem,
  OnGap,
  Policy,
  type ServerItem,
  WatchServiceClient,
} from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'

/** Events that may be under way to one watch. */
const CREDIT = 1024
const HEARTBEAT = 5000

/** One who speaks the native service himself: any number of watches on any number of streams, all of one variable. */
export class WatchCrowd {
  readonly #client: WatchServiceClient
  readonly #id = randomUUID()
  readonly #session: string
  readonly #watches: number
  #told = 0
  #value = Number.NaN
  #wrong = 0
  #all: () => void = () => {}
  #failed: (error: unknown) => void = () => {}

  private constructor(address: string, session: string, watches: number) {
    this.#client = new WatchServiceClient(address, credentials.createInsecure())
    this.#session = session
    this.#watches = watches
  }

  /** Resolves once all of them watch `name`. */
  static async open(address: string, session: string, name: string, watches: number, streams: number) {
    const crowd = new WatchCrowd(address, session, watches)
    const share = watches / streams
    await Promise.all(Array.from({ length: streams }, (_, stream) => crowd.#stream(name, stream, share)))
    return crowd
  }

  /** Resolves once each watch was told of `value`, and throws when one was told of something else. */
  async told(value: number): Promise<void> {
    this.#value = value
    this.#told = this.#wrong = 0
    await new Promise<void>((resolve, reject) => {
      this.#all = resolve
      this.#failed = reject
    })
    if (this.#wrong > 0) throw new Error(`${this.#wrong} watches were told of another value than ${value}`)
  }

  #stream(name: string, stream: number, watches: number): Promise<void> {
    const call = this.#client.session()
    const send = (...kinds: ClientItem['kind'][]) => call.write({ items: kinds.map((kind) => ({ kind })) })
    let begun = 0
    return new Promise((resolve, reject) => {
      call.on('error', (error) => {
        reject(error)
        this.#failed(error)
      })
      call.on('data', ({ items }: { items: ServerItem[] }) => {
        const acks: { watchId: number; through: number; credit: number }[] = []
        for (const { kind } of items) {
          if (kind?.$case === 'snapshot' && kind.value.last && ++begun === watches) resolve()
          else if (kind?.$case === 'canceled') reject(new Error(kind.value.detail))
          if (kind?.$case !== 'batch') continue
          const { watchId, through, events } = kind.value
          acks.push({ watchId, through, credit: events.length })
          for (const { value } of events) this.#tell(value?.kind?.$case === 'number' ? value.kind.value : Number.NaN)
        }
        if (acks.length > 0) send({ $case: 'ack', value: { watches: acks, repliesSeen: 0 } })
      })
      const hello = { protocol: 1, clientId: `${this.#id}-${stream}`, clientInstance: '1', repliesSeen: 0 }
      send({
        $case: 'hello',
        value: { ...hello, heartbeatMs: HEARTBEAT, maxFrameBytes: 1 << 20, features: [] } as never,
      })
      send(...Array.from({ length: watches }, (_, index) => this.#watch(name, index + 1)))
      setInterval(() => send({ $case: 'ping', value: { nonce: 1 } }), HEARTBEAT / 3).unref()
    })
  }

  #watch(name: string, watchId: number): ClientItem['kind'] {
    return {
      $case: 'create',
      value: {
        watchId,
        sessionId: this.#session,
        selectors: [{ of: { $case: 'name', value: name } }],
        resume: undefined,
        policy: Policy.POLICY_LOSSLESS,
        minIntervalMs: 0,
        onGap: OnGap.ON_GAP_SNAPSHOT,
        credit: CREDIT,
        allowMissing: false,
      },
    }
  }

  #tell(value: number): void {
    if (value !== this.#value) this.#wrong++
    if (++this.#told === this.#watches) this.#all()
  }
}
