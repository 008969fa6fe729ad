import type { EntryName } from '../entry.js'

/**
 * What an agent is asked, by calls, or, for an update that nobody waits for, by casts: to apply a function to its state, one
 * of another module, or the closure of its thread that has this number.
 */
export interface AgentTask {
  readonly kind: 'get' | 'update' | 'getAndUpdate'
  readonly what: EntryName | number
  readonly args: readonly unknown[]
}

export function isAgentTask(request: unknown): request is AgentTask {
  if (typeof request !== 'object' || request === null) return false
  const { kind, what, args } = request as Partial<AgentTask>
  const named = typeof what === 'object' && typeof what?.module === 'string' && typeof what.export === 'string'
  const known = kind === 'get' || kind === 'update' || kind === 'getAndUpdate'
  return known && (named || typeof what === 'number') && Array.isArray(args)
}
