import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import { Process } from '../actors/process.js'
import { BeamlineError } from '../errors.js'
import type { Pid } from '../threads/pid.js'
import type { ContextMessage } from './requests.js'
import type { SharedLogMemory } from './shared-log.js'
import { ValueTable, type ValueTableMemory } from './value-table.js'

/** What a handle needs to know of its context. */
export interface ContextFacts {
  readonly id: string
  /** What its system knows it by. */
  readonly key: string
  readonly table: ValueTableMemory
  /** Where it stands whether the context has ended, and where its state lives. */
  readonly log: SharedLogMemory
  /** Where the modules of each namespace are. */
  readonly modules: Readonly<Record<string, string>>
}

/** Milliseconds to wait for a context, without turning the event loop. */
const PATIENCE = 1000
const tables = Symbol('beamline.tables')

/** The tables of the contexts that live on the thread of `process`, by pid. */
export function tablesOf(process: Process): Map<string, ValueTable> {
  return Process.hostOf(process).service(tables, () => new Map())
}

/**
 * The shared values of a context, at once: a handle that has not asked for them yet waits here for one trip to the
 * context's thread and back.
 * @throws BeamlineError NOPROC when the context is dead, UNAVAILABLE when it does not answer
 */
export function tableNow(owner: Process, context: Pid): ValueTable {
  const here = tablesOf(owner).get(context.toString())
  if (here !== undefined) return here
  if (!owner.system.isAlive(context))
    throw new BeamlineError('NOPROC', `the context ${context} has ended: start another`)
  const { port1, port2 } = new MessageChannel()
  const flag = new SharedArrayBuffer(4)
  const message: ContextMessage = { kind: 'facts', port: port2, flag }
  owner.cast(context, message, { transfer: [port2] })
  Atomics.wait(new Int32Array(flag), 0, 0, PATIENCE)
  const answer = receiveMessageOnPort(port1) as { message: ContextFacts } | undefined
  port1.close()
  if (answer !== undefined) return ValueTable.attach(answer.message.table)
  throw new BeamlineError(
    'UNAVAILABLE',
    `the context ${context} did not answer within ${PATIENCE} ms: await one call of the handle first`,
  )
}
