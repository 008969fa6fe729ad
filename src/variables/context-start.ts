import type { Process } from '../actors/process.js'
import { ContextLine } from './context-line.js'
import { type ContextOptions, type Origin, spawnContext } from './context-spawn.js'

/** Starts a context; answers the way of `owner` to it. See `Context.start` for the errors. */
export async function startContext(owner: Process, options: ContextOptions, origin: Origin): Promise<ContextLine> {
  const { pid, id } = await spawnContext(owner, options, origin)
  const line = new ContextLine(owner, pid, options, id)
  try {
    await line.open()
  } catch (error) {
    // Nobody would have a handle to it.
    owner.exit(pid, 'kill')
    throw error
  }
  return line
}
