import type { Clock } from '../threads/clock.js'
import type { Batch, Carrier } from '../threads/link.js'
import type { Mesh } from '../threads/mesh.js'
import type { Pid, RawRef } from '../threads/pid.js'
import type { ThreadSource } from '../threads/pools.js'
import type { Roster } from '../threads/roster.js'
import type { Signal, ThreadSignal } from '../threads/signal.js'
import type { Loader } from './entry.js'
import type { Ledger } from './ledger.js'
import type { NameClaim, NameTable } from './names.js'
import type { ProcessTable } from './process-table.js'

/** What only main can do, as the host of any thread asks for it. */
export interface ThreadControl {
  /** A link to `thread` is wanted. */
  dial(thread: number): void
  claimName(name: string, pid: Pid): Promise<NameClaim>
  /** `pid`, on another thread, was told to die and might be unable to. */
  suspect(pid: Pid): void
  /** Opens an isolated thread for the process that `spawn` asks for. On main only. */
  openIsolated(spawn: Signal & { kind: 'spawn' }): void
  /** Ends the isolated thread that the spawn with this reference asked for. On main only. */
  closeIsolated(ref: RawRef): void
  /** Has a job done by a thread of the pool. On main only. */
  job?: ThreadSource['job']
  /** This thread waits for more than signals: see {@link Carrier.doze}. On isolated threads only. */
  doze?(): void
  receive(signal: ThreadSignal, from: number): void
}

/** What the host of a thread is made of. */
export interface HostParts {
  readonly thread: number
  readonly processes: ProcessTable
  readonly names: NameTable
  readonly ledger: Ledger
  readonly roster: Roster
  readonly clock: Clock
  readonly load: Loader
  readonly batch: Batch
  readonly mesh: Mesh
  readonly control: ThreadControl
}
