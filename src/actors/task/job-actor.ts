import { MAIN } from '../../threads/mesh.js'
import { unpack } from '../../threads/payload.js'
import { Exit, type ExitReason } from '../exit-reason.js'
import { Process } from '../process.js'
import { crashReason } from '../verdict.js'
import type { JobData, Report } from './job.js'
import { Moved } from './moved.js'

const worker = new URL('./job.js', import.meta.url).href
const actor = { module: import.meta.url, export: 'jobActor' }

/** Has a job done for `self`: it is given up when `self` ends, and ends `self` as it would have ended a process. */
export async function perform(self: Process, data: JobData): Promise<Moved> {
  if (Process.hostOf(self).thread === MAIN) return performHere(self, data)
  const pid = await self.spawn(actor, undefined, { thread: 'main', link: true, label: 'Job' })
  self.send(pid, data, { transfer: data.transfer })
  // It is the only one that knows this process.
  const { value, transfer } = await self.receive<Moved>()
  return new Moved(value, transfer)
}

/** The process on main that stands in for one on another thread. Loaded by name. */
export async function jobActor(self: Process): Promise<void> {
  const { value, transfer } = await performHere(self, await self.receive<JobData>())
  if (self.parent !== undefined) self.send(self.parent, { value, transfer }, { transfer })
}

async function performHere(self: Process, data: JobData): Promise<Moved> {
  const { control } = Process.hostOf(self)
  const job = { module: worker, data, transfer: data.transfer }
  const report = (await control.job?.(job, self.signal).catch((error: Error) => {
    throw new Exit(crashReason(error))
  })) as Report
  if ('exit' in report) throw new Exit(unpack(report.exit) as ExitReason)
  return new Moved(unpack(report.value), report.transfer)
}
