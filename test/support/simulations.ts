import fc from 'fast-check'
import { Simulation, type SimulationOptions } from '../../src/testing/index.js'
import { assert } from '../harness.js'
import { assertNothingLeft } from './stage.js'

const given = process.env['BEAMLINE_SEED']

/** One run in so many is done twice, and must be the same twice. */
const SAMPLE = 20

/**
 * Runs a scene under many seeds, each with another plan. What fails is told with its seed and the plan, made small; the
 * environment variable BEAMLINE_SEED runs the whole test again with the seed it is given.
 */
export async function explore<P>(
  plans: fc.Arbitrary<P>,
  runs: number,
  scene: (simulation: Simulation, plan: P) => Promise<void>,
  options: Omit<SimulationOptions, 'seed'> = {},
): Promise<void> {
  let count = 0
  const once = async (seed: number, plan: P) => {
    const simulation = await Simulation.start({ seed, maxProcesses: 1000, ...options })
    await scene(simulation, plan)
    await simulation.stop()
    assertNothingLeft(simulation.system)
    assert.is(simulation.clock.pending, 0, 'timers outlived their system')
    return simulation.trace
  }
  const property = fc.asyncProperty(fc.integer(), plans, async (seed, plan) => {
    const trace = await once(seed, plan)
    if (count++ % SAMPLE === 0) assert.equal(await once(seed, plan), trace, 'a seed gave two runs')
  })
  const outcome = await fc.check(property, { numRuns: runs, ...(given !== undefined && { seed: Number(given) }) })
  if (!outcome.failed) return
  const { seed, counterexample, errorInstance: cause } = outcome
  const plan = fc.stringify(counterexample)
  throw new Error(`${(cause as Error)?.message}\nby BEAMLINE_SEED=${seed}, and most simply by ${plan}`, { cause })
}
