import { Call, type Pid, type Process } from '../../src/index.js'

/** Sends every message back to its sender, and answers calls with what they ask. */
export async function echo(self: Process): Promise<void> {
  for await (const message of self.messages()) {
    if (message instanceof Call) self.reply(message.from, message.request)
    else self.send((message as { from: Pid }).from, message)
  }
}

/** Counts messages, and answers calls with the count since the last one. */
export async function counter(self: Process): Promise<void> {
  let count = 0
  for await (const message of self.messages()) {
    if (message instanceof Call) {
      self.reply(message.from, count)
      count = 0
    } else count++
  }
}

/** One branch of a fork: tells the parent its number. */
export function branch(self: Process, { parent, index }: { parent: Pid; index: number }): void {
  self.send(parent, index)
}

/** A link of a ring: gives a token with one hop less to the next one, or says that it has gone far enough. */
export async function link(self: Process, parent: Pid): Promise<void> {
  const next = await self.receive<Pid>()
  for await (const token of self.messages()) {
    const hops = token as number
    if (hops > 1) self.send(next, hops - 1)
    else self.send(parent, 'round')
  }
}

/** Waits for ever. */
export async function sleeper(self: Process): Promise<void> {
  await self.receive()
}

/** Sends so many messages to a counter each time it is told to, and tells its parent when they have been counted. */
export async function producer(self: Process, { to, parent }: { to: Pid; parent: Pid }): Promise<void> {
  for (;;) {
    const messages = await self.receive<number>()
    for (let value = 0; value < messages; value++) self.send(to, { value })
    self.send(parent, await self.call(to, 'count', { timeout: Number.POSITIVE_INFINITY }))
  }
}

/** Answers calls with the bytes that are in use in its thread. */
export async function accountant(self: Process): Promise<void> {
  for await (const message of self.messages()) {
    globalThis.gc?.()
    const { heapUsed, external } = process.memoryUsage()
    self.reply((message as Call).from, heapUsed + external)
  }
}
