import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A server in a process of its own, which ends with this one. */
export interface Child {
  readonly address: string
}

/** Ways to reach a server on this machine. */
export const transports = ['TCP', 'a unix socket'] as const
export type Transport = (typeof transports)[number]

let folder: string | undefined
let sockets = 0

function addressOf(transport: Transport): string {
  if (transport === 'TCP') return '127.0.0.1:0'
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'beamline-bench-'))
    folder = made
    process.on('exit', () => rmSync(made, { recursive: true, force: true }))
  }
  return `unix:${join(folder, `${++sockets}.sock`)}`
}

/** Runs a file of `bench/processes` that listens at the address it is given, and tells which that is. */
export async function startServer(file: string, transport: Transport): Promise<Child> {
  const child = fork(new URL(`../processes/${file}.js`, import.meta.url), [addressOf(transport)], {
    execArgv: ['--enable-source-maps'],
  })
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${file} ended with ${String(code)} before it listened`)
  })
  const [{ address }] = (await Promise.race([once(child, 'message'), ended])) as [Child]
  ended.catch(() => {})
  child.unref()
  child.channel?.unref()
  return { address }
}
