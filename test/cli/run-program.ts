import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The built program of the command line. */
export const cli = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** What to do with a program, once, when its output first matches. */
export interface Trigger {
  readonly when: RegExp
  readonly act: (child: ChildProcessWithoutNullStreams) => void
}

/** Runs a built program to its end. */
export function runProgram(file: string, args: readonly string[] = [], trigger?: Trigger): Promise<Outcome> {
  const child = spawn(process.execPath, [file, ...args])
  let stdout = ''
  let stderr = ''
  let waiting = trigger
  child.stdout.on('data', (chunk) => {
    stdout += chunk
    if (!waiting?.when.test(stdout)) return
    waiting.act(child)
    waiting = undefined
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }))
  })
}
