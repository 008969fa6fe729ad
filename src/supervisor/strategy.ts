import type { ExitReason } from '../actors/exit-reason.js'

/** Which siblings a crash concerns: none, all, or those that were started after the one that crashed. */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one'

/** When a child that has ended is started again: always, unless it ended as it should, or never. */
export type Restart = 'permanent' | 'transient' | 'temporary'

/** Whether the end of a significant child ends its supervisor: never, the first such end, or the last. */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant'

/** What the plan of a restart goes by. */
interface Planned {
  readonly restart: Restart
}

/** The steps of one restart, each list in the order in which it is worked off. */
export interface RestartPlan<C> {
  readonly stop: readonly C[]
  readonly start: readonly C[]
  /** Stopped for good: temporary siblings are not started again. */
  readonly drop: readonly C[]
}

/** Whether a child that ended for `reason` is to be started again. */
export function isRestarted(restart: Restart, reason: ExitReason): boolean {
  return restart === 'permanent' || (restart === 'transient' && !isOrderly(reason))
}

/** `normal`, `shutdown` and `{ shutdown }`: it ended as it was meant to. */
function isOrderly(reason: ExitReason): boolean {
  return (
    reason === 'normal' ||
    reason === 'shutdown' ||
    (typeof reason === 'object' && reason !== null && Object.hasOwn(reason, 'shutdown'))
  )
}

/** What is stopped and started because `crashed` has ended. @param children in the order of their start */
export function planRestart<C extends Planned>(strategy: Strategy, children: readonly C[], crashed: C): RestartPlan<C> {
  if (strategy === 'one_for_one') return { stop: [], start: [crashed], drop: [] }
  const concerned = strategy === 'one_for_all' ? children : children.slice(children.indexOf(crashed))
  const stays = (child: C) => child === crashed || child.restart !== 'temporary'
  return {
    stop: concerned.filter((child) => child !== crashed).reverse(),
    start: concerned.filter(stays),
    drop: concerned.filter((child) => !stays(child)),
  }
}
