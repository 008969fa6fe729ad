import { BeamlineError, type Context, type Down, type Process } from '../../index.js'
import type { DemoEvent, TimedEvent } from './events.js'
import type { Figures } from './figures.js'

/** What has happened in the demo, in order. It lives on the main thread. */
export class Journal {
  readonly events: TimedEvent[] = []
  readonly #started = performance.now()
  readonly #onEvent: (event: TimedEvent) => void

  constructor(onEvent: (event: TimedEvent) => void) {
    this.#onEvent = onEvent
  }

  /** Seconds since the start. */
  get seconds(): number {
    return Math.round(performance.now() - this.#started) / 1000
  }

  enter(event: DemoEvent): void {
    const timed = { ...event, at: this.seconds }
    this.events.push(timed)
    this.#onEvent(timed)
  }

  /** The events of one kind. */
  of<K extends DemoEvent['kind']>(kind: K): (TimedEvent & { readonly kind: K })[] {
    return this.events.filter((event): event is TimedEvent & { readonly kind: K } => event.kind === kind)
  }

  /** Enters the changes of some variables. */
  async follow(figures: Context<Figures>): Promise<void> {
    await figures.watchOne('smoothing', (_name, _previous, name) => this.enter({ kind: 'strategy', name }))
    await figures.watchOne('load_level', (_name, from, to) => this.enter({ kind: 'level', from, to }))
    await figures.watchOne('alert', (_name, _previous, raised) => this.enter({ kind: 'alert', raised }))
  }

  /** Enters what others report to `self`, and the crashes of those it monitors, until the system stops. */
  async listen(self: Process): Promise<void> {
    try {
      for await (const message of self.messages()) {
        if (!isDown(message)) this.enter(message as DemoEvent)
        else if (message.reason !== 'shutdown') this.enter(crash(message))
      }
    } catch (error) {
      if (!(error instanceof BeamlineError && error.code === 'STOPPED')) throw error
    }
  }
}

function isDown(message: unknown): message is Down {
  return message instanceof Object && 'type' in message && message.type === 'DOWN'
}

function crash({ pid, reason }: Down): DemoEvent {
  return { kind: 'crashed', pid: String(pid), reason: JSON.stringify(reason) }
}
