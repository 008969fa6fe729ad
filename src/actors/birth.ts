import type { Pid } from '../threads/pid.js'
import type { MailboxLimit } from './mailbox.js'
import type { Process } from './process.js'

/** How a process came to be. */
export interface Birth {
  readonly parent: Pid | undefined
  /** Module and export, or the closure's name; shown by `info`. */
  readonly label: string
  readonly limit: MailboxLimit | undefined
  /** Whether its code is the program's own and runs on when the process has ended. */
  readonly shell?: boolean
  /** That of the shell whose place this one takes. */
  readonly process?: Process | undefined
}
