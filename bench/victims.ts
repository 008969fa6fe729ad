// What the soak lets die.
import type { Pid, Process } from '../src/index.js'

/** How a victim is to end. */
export type Death = 'throw' | 'hang' | 'process.exit'

export interface Victim {
  readonly born: Pid
  readonly kind: string
}

const deaths: Readonly<Record<Death, () => never>> = {
  throw: () => {
    throw new Error('as it was told')
  },
  hang: () => {
    for (;;);
  },
  'process.exit': () => process.exit(1),
}

/** Says that it lives, and dies as it is told. */
export async function victim(self: Process, { boss, kind }: { boss: Pid; kind: string }): Promise<void> {
  self.send(boss, { born: self.pid, kind } satisfies Victim)
  deaths[await self.receive<Death>()]()
}

export interface WatchingVictimArgs {
  readonly boss: Pid
  readonly kind: string
  readonly context: string
}

/** The same, with a watch on `x` in whose callback it dies, once it was told how. */
export async function watchingVictim(self: Process, { boss, kind, context }: WatchingVictimArgs): Promise<void> {
  const { Context } = await import('../src/index.js')
  let how: Death | undefined
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  await Context.attach(self, context).watchOne('x', () => {
    try {
      if (how !== undefined) deaths[how]()
    } catch (error) {
      fail(error)
    }
  })
  self.send(boss, { born: self.pid, kind } satisfies Victim)
  how = await self.receive<Death>()
  self.send(boss, { ready: self.pid })
  await failed
}

/** Collects the garbage of its thread. */
export function sweeper(): void {
  globalThis.gc?.()
}
