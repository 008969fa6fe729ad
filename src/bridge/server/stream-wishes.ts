import { BeamlineError } from '../../errors.js'
import { OnGap, Policy, type Selector, type WatchCreate } from '../gen/snakepit/bridge/watch/v1/watch.js'
import type { Limits } from './limits.js'
import type { Wanted } from './stream-selection.js'
import type { WatchWish } from './stream-wish.js'

const policies: Readonly<Record<number, WatchWish['policy']>> = {
  [Policy.POLICY_UNSPECIFIED]: 'lossless',
  [Policy.POLICY_LOSSLESS]: 'lossless',
  [Policy.POLICY_LATEST]: 'latest',
  [Policy.POLICY_SAMPLED]: 'sampled',
}

const gaps: Readonly<Record<number, WatchWish['onGap']>> = {
  [OnGap.ON_GAP_UNSPECIFIED]: 'snapshot',
  [OnGap.ON_GAP_SNAPSHOT]: 'snapshot',
  [OnGap.ON_GAP_FAIL]: 'fail',
}

/** The longest that a sampled watch may be asked to wait: a day. */
const LONGEST_INTERVAL = 86_400_000

/** What a client wants of a watch. @throws BeamlineError INVALID_TYPE for what makes no sense, EXHAUSTED */
export function wishOf(create: WatchCreate, { maxSelectors }: Limits): WatchWish {
  const { watchId: id, selectors, resume, minIntervalMs, credit, allowMissing } = create
  if (selectors.length > maxSelectors)
    throw new BeamlineError('EXHAUSTED', `${selectors.length} selectors: a watch has ${maxSelectors} at most`)
  const policy = policies[create.policy]
  const onGap = gaps[create.onGap]
  if (policy === undefined) throw invalid(`${create.policy} is no policy`)
  if (onGap === undefined) throw invalid(`${create.onGap} is nothing that can be done about a gap`)
  if (policy === 'sampled' && !(minIntervalMs > 0 && minIntervalMs <= LONGEST_INTERVAL))
    throw invalid(`min_interval_ms is ${minIntervalMs}: give a sampled watch 1 to ${LONGEST_INTERVAL}`)
  return { id, wanted: wantedOf(selectors), policy, minIntervalMs, onGap, credit, allowMissing, resume }
}

function wantedOf(selectors: readonly Selector[]): Wanted {
  const names = new Set<string>()
  const ids = new Set<string>()
  const prefixes: string[] = []
  let all = selectors.length === 0
  for (const { of } of selectors) {
    switch (of?.$case) {
      case 'name':
        names.add(of.value)
        break
      case 'id':
        ids.add(of.value)
        break
      case 'prefix':
        prefixes.push(of.value)
        break
      case 'all':
        if (!of.value) throw invalid('a selector that is not `all` must say what it selects')
        all = true
        break
      default:
        throw invalid('a selector is empty: give a name, an id, a prefix, or all')
    }
  }
  return { names, ids, prefixes, all }
}

const invalid = (text: string): BeamlineError => new BeamlineError('INVALID_TYPE', text)
