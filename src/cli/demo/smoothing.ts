import type { Context } from '../../index.js'
import type { Figures } from './figures.js'

/** Takes one number after the other and returns each as it looks among those before it. */
export type Smoother = (value: number) => number

/** What each module in `./strategies` exports. */
export interface SmoothingStrategy {
  readonly createSmoother: () => Smoother
}

/** A new smoother from the module that the variable `smoothing` names now. */
export async function loadSmoother(figures: Context<Figures>): Promise<Smoother> {
  const strategy = (await figures.resolve('smoothing')) as SmoothingStrategy
  return strategy.createSmoother()
}
