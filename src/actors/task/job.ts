import { moved, type Payload, pack, type Transfer, unpack } from '../../threads/payload.js'
import { Entries, type EntryName, importModule } from '../entry.js'
import { reasonFrom } from '../exit-reason.js'
import { Moved } from './moved.js'

/** The call of a module's function, as it travels. */
export interface JobData {
  readonly entry: EntryName
  readonly args: Payload
  /** What of the arguments moves on to the thread that does it. */
  readonly transfer: Transfer
}

/** How a job ended. */
export type Report =
  | { readonly value: Payload; readonly transfer: Transfer }
  /** Why a process that had done it would have ended. */
  | { readonly exit: Payload }

/** @throws BeamlineError NOT_CLONEABLE for arguments that cannot cross threads */
export function jobData(entry: EntryName, args: unknown, transfer: Transfer): JobData {
  const [payload, moves] = moved([pack(args, transfer), transfer], transfer) as [Payload, Transfer]
  return { entry, args: payload, transfer: moves }
}

/** The program of a thread for jobs. Loaded by name, on those threads. */
export async function work({ entry, args }: JobData): Promise<{ report: Report; transfer: Transfer }> {
  try {
    const body = (await new Entries(importModule).load(entry)) as (args: unknown) => unknown
    const { value, transfer } = Moved.of(await body(unpack(args)))
    return { report: { value: pack(value, transfer), transfer }, transfer }
  } catch (thrown) {
    return { report: { exit: pack(reasonFrom(thrown)) }, transfer: [] }
  }
}
