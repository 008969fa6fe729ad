import type { ActorSystem, Context, Down, Pid } from '../../index.js'
import { type DemoEvent, journalName, type TimedEvent } from './events.js'
import type { Figures } from './figures.js'

/** The events of the demo, in order. It lives on the main thread; a process of its own is told of them. */
export class Journal {
  readonly events: TimedEvent[] = []
  readonly #started = performance.now()
  readonly #onEvent: (event: TimedEvent) => void

  constructor(onEvent: (event: TimedEvent) => void) {
    this.#onEvent = onEvent
  }

  /** Seconds since the start. */
  get seconds(): number {
    return (performance.now() - this.#started) / 1000
  }

  enter(event: DemoEvent): void {
    const timed = { ...event, at: this.seconds }
    this.events.push(timed)
    this.#onEvent(timed)
  }

  /** The events of one kind. */
  of<K extends DemoEvent['kind']>(kind: K): (TimedEvent & { kind: K })[] {
    return this.events.filter((event): event is TimedEvent & { kind: K } => event.kind === kind)
  }

  /** Starts the process that takes the reports of others: a closure, as it needs this journal. */
  async open(system: ActorSystem): Promise<Pid> {
    return system.spawn(
      async (self) => {
        for await (const message of self.messages()) {
          if (isDown(message)) this.#crashed(message)
          else if (message instanceof Object && 'monitor' in message) self.monitor(message.monitor as Pid)
          else this.enter(message as DemoEvent)
        }
      },
      undefined,
      { name: journalName },
    )
  }

  /** Enters the changes of some variables as events. */
  async follow(figures: Context<Figures>): Promise<void> {
    await figures.watchOne('smoothing', (_name, _previous, name) => this.enter({ kind: 'strategy', name }))
    await figures.watchOne('load_level', (_name, from, to) => this.enter({ kind: 'level', from, to }))
    await figures.watchOne('alert', (_name, _previous, raised) => this.enter({ kind: 'alert', raised }))
  }

  #crashed({ pid, reason }: Down): void {
    if (reason === 'shutdown') return
    this.enter({ kind: 'crashed', pid: String(pid), reason: JSON.stringify(reason) })
  }
}

function isDown(message: unknown): message is Down {
  return message instanceof Object && 'type' in message && message.type === 'DOWN'
}
