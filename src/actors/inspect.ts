import { pack } from '../threads/payload.js'
import { Pid } from '../threads/pid.js'
import type { ThreadSignal } from '../threads/signal.js'
import type { Host } from './host.js'

/** What a process does: its code runs, it waits for a message, or it has been suspended. */
export type ProcessStatus = 'running' | 'waiting' | 'suspended'

/** What `system.info` tells of a process. */
export interface ProcessInfo {
  readonly pid: Pid
  /** Its registered names. */
  readonly names: readonly string[]
  /** Module and export, or the name of the closure or server class. */
  readonly label: string
  readonly thread: number
  readonly parent: Pid | undefined
  /** Messages that wait in the mailbox. */
  readonly messageQueueLength: number
  /** Messages taken so far. */
  readonly handled: number
  readonly links: readonly Pid[]
  /** The processes this one monitors. */
  readonly monitors: readonly Pid[]
  /** The processes that monitor this one. */
  readonly monitoredBy: readonly Pid[]
  readonly trapExit: boolean
  readonly status: ProcessStatus
}

/** The facts about a process of this thread; undefined when it is dead. */
export function infoOf(host: Host, pid: Pid): ProcessInfo | undefined {
  const cell = host.cell(pid)
  return (
    cell && {
      pid,
      names: cell.ties.names.map(({ name }) => name),
      label: cell.birth.label,
      thread: pid.thread,
      parent: cell.birth.parent,
      messageQueueLength: cell.inbox.length,
      handled: cell.handled,
      links: cell.ties.links.values(),
      monitors: cell.ties.monitors.values().map((monitor) => monitor.pid),
      monitoredBy: cell.ties.watchers.values().map((watcher) => watcher.pid),
      trapExit: cell.trapExit,
      status: cell.status,
    }
  )
}

/** Answers another thread's `inspect`. */
export function inspect(host: Host, { ref, pid }: ThreadSignal & { kind: 'inspect' }, from: number): void {
  const body = pack(infoOf(host, Pid.fromRaw(host.node, pid)))
  host.mesh.send(from, { kind: 'reply', ref, outcome: 'value', body })
}

/** The facts about any process; undefined when it is dead or dies before it can be asked. */
export async function info(host: Host, pid: Pid): Promise<ProcessInfo | undefined> {
  if (pid.node !== host.node || !host.processes.isAlive(pid)) return undefined
  if (pid.thread === host.thread) return infoOf(host, pid)
  const ref = host.ref()
  const answer = host.calls.open(ref, { thread: pid.thread, what: `info(${pid})`, timeout: 5000 })
  if (!host.mesh.send(pid.thread, { kind: 'inspect', ref: ref.raw, pid: pid.raw }))
    host.calls.settle(ref.serial, 'value', undefined)
  try {
    return (await answer) as ProcessInfo | undefined
  } catch (error) {
    if (host.processes.isAlive(pid)) throw error
    return undefined
  }
}
