import type { Pid, Ref } from '../threads/pid.js'
import type { ContextLine } from './context-line.js'
import { Watch } from './watch.js'
import { checkWatch, type WatchCallback, type WatchOptions } from './watch-options.js'

/** Begins a watch of a context; `made` has it before it has begun. See `Context.watch` for the errors. */
export async function watchThrough(
  line: ContextLine,
  names: readonly string[],
  callback: WatchCallback,
  options: WatchOptions,
  made?: (watch: Watch) => void,
): Promise<Watch> {
  checkWatch(names, callback, options as WatchOptions<never>)
  const { includeInitial = false, sinceRevision } = options
  const begin = async (ref: Ref, relay: Pid) => {
    const watch = {
      ref,
      owner: line.owner.pid,
      relay,
      names: [...new Set(names)],
      includeInitial,
      sinceRevision,
    }
    const { manager } = (await line.ask({ kind: 'watch', watch })) as { manager: Pid }
    return manager
  }
  return Watch.begin(
    names,
    { owner: line.owner, context: line.pid, callback, options, begin, where: () => line.where },
    made,
  )
}
