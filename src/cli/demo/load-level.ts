/** How loaded the machine is, from least to most. */
export const loadLevels = ['idle', 'normal', 'busy', 'overloaded'] as const
export type LoadLevel = (typeof loadLevels)[number]

/** Percent of cpu at which each level begins. */
const floors = [0, 15, 60, 85]
/** A level is left only when the cpu is so much below its floor, so that it does not flicker. */
const margin = 5

/** The level for this much cpu, coming from the present level. */
export function loadLevel(cpu: number, present: LoadLevel): LoadLevel {
  const highest = (least: number) => floors.findLastIndex((floor) => floor <= Math.max(0, least))
  const [least, most] = [highest(cpu), highest(cpu + margin)]
  return loadLevels[Math.min(most, Math.max(least, loadLevels.indexOf(present)))] ?? present
}
