import type { ActorSystem, SystemOptions } from '../../src/actors/system.js'
import { Context } from '../../src/index.js'
import type { ContextOptions } from '../../src/variables/context-spawn.js'
import type { suite } from '../harness.js'
import { systemFor } from './system.js'

type Body = (ctx: Context, system: ActorSystem) => Promise<unknown>

/** One system for a suite; answers what makes a test's body of one that wants a context of its own in it. */
export function contextsFor(
  test: ReturnType<typeof suite>,
  options: SystemOptions = { threads: 1 },
  system = systemFor(test, options),
): (body: Body, contextOptions?: ContextOptions) => () => Promise<void> {
  return (body, contextOptions) => async () => {
    await using ctx = await Context.start(system(), contextOptions)
    await body(ctx, system())
  }
}

/** Defines the integer `x`. */
export const defineX = (ctx: Context) => ctx.define('x', 'integer', 0)

type BodyWithX = (ctx: Context, x: Awaited<ReturnType<typeof defineX>>) => Promise<void>

/** Answers what runs a body with a context of `system` that has the integer `x` and is stopped in any case. */
export function withXFor(system: () => ActorSystem): (body: BodyWithX) => Promise<void> {
  return async (body) => {
    await using ctx = await Context.start(system())
    await body(ctx, await defineX(ctx))
  }
}
