import { bytes, number, rate, table, time, worth } from './text.mjs'

const ours = 'beamline'
const within = 'within a thread'
const across = 'across two threads'
const idle = 'across two threads, after 10 ms of idleness'

/** A figure in a scenario: by how its `what` and its `where` begin, and whose it is, and its size if it has one. */
const at = (scenario, what, where, by = ours, size) => ({ scenario, what, where, by, size })
const hot = at('set-callback', 'set to callback', across)
const put = at('updates', 'put to callback', across)
const bridged = at('bridge', 'set to callback', 'over TCP')
const rawCall = at('bridge', 'set to callback', 'over TCP', 'raw grpc-js, call and stream')
const rawEcho = at('bridge', 'set to callback', 'over TCP', 'raw grpc-js, echo on one stream')

/** The median of `of` is under so many nanoseconds, or bytes, or per cent. */
const under = (text, of, limit, show = time) => ({
  text,
  of,
  needs: [of],
  target: `under ${show(limit)}`,
  judge: (figure) => [worth(figure), (figure.p50 ?? figure.value) < limit],
})

/** `slow` takes at least so many times as long as `fast`. */
const times = (text, slow, fast, factor) => ({
  text,
  needs: [slow, fast],
  target: `at least ${factor} ×`,
  judge: (slow, fast) => [`${number(middle(slow) / middle(fast))} ×`, middle(slow) / middle(fast) >= factor],
})

/** At least so many in a second. */
const perSecond = (text, of, least) => ({
  text,
  needs: [of],
  target: `at least ${rate(1e9 / least)}`,
  judge: ({ p50 }) => [rate(p50), 1e9 / p50 >= least],
})

/** `of` takes at most so many times as long as `than`. */
const atMost = (text, of, than, factor) => ({
  text,
  needs: [of, than],
  target: `at most ${factor} ×`,
  judge: (of, than) => [`${number(of.p50 / middle(than))} ×`, of.p50 / middle(than) <= factor],
})

/** Of an arm that was measured before and after the others, what lies between. */
const middle = ({ p50, later = p50 }) => Math.sqrt(p50 * later)

/** What must be true, and where it is measured; ratios are of one run. */
const targets = [
  times(
    'raw round trip against set → callback, hot',
    at('set-callback', 'set to callback', across, 'raw postMessage'),
    hot,
    18,
  ),
  under('set → callback across two threads, hot', hot, 1000),
  atMost(
    'set → callback after 10 ms of idleness, against the raw round trip equally cold',
    at('set-callback-cold', 'set to callback', idle),
    at('set-callback-cold', 'set to callback', idle, 'raw postMessage'),
    1.5,
  ),
  times("Comlink's set → callback against ours", at('set-callback', 'set to callback', across, 'Comlink'), hot, 60),
  perSecond('put → callback, pipelined', put, 5e6),
  times(
    'raw one way against put → callback, pipelined',
    at('updates', 'raw postMessage', undefined, 'raw postMessage'),
    put,
    8,
  ),
  perSecond('set → callback, awaited in batches', at('updates', 'set to callback', across), 1.5e6),
  under(
    '1,000 watchers on another thread, for each of them',
    at('watchers', 'set to the last callback, for each of its watchers', 'on 1 other thread', ours, 1000),
    40,
  ),
  under('get from another thread', at('reads', 'get', across), 300),
  under('peek', at('reads', 'peek', across), 100),
  under('send → receive within a thread', at('ping-pong', 'ping-pong', within), 300),
  under('call within a thread', at('calls', 'call of a server', within), 600),
  under('spawn within a thread', at('spawn', 'spawn, and its end', within), 2000),
  under('an idle process', at('memory', 'an idle process', within), 1024, bytes),
  times(
    "Elixir's LocalState, set → callback, against ours",
    at('set-callback', 'set to callback', 'LocalState', 'Elixir'),
    hot,
    4,
  ),
  under(
    "death of a context's thread, to the next write that is acknowledged",
    at('recovery', 'death of a context'),
    50e6,
  ),
  under('processor of an idle system, of one core', at('idle', 'processor'), 1, (limit) => `${limit} %`),
  atMost('bridged set → callback against raw grpc-js, call and stream', bridged, rawCall, 0.6),
  atMost('bridged set → callback against raw grpc-js, echo on one stream', bridged, rawEcho, 1.5),
  {
    text: 'bridged set → callback, p99',
    needs: [bridged],
    target: 'under 5 ms',
    judge: ({ p99 }) => [time(p99), p99 < 5e6],
  },
  perSecond('bridged sets, each awaited by one of 64 writers', at('bridge', 'sets by 64 writers', 'over TCP'), 10_000),
  perSecond('bridged set → callback, batched by load', at('bridge', 'sets at once', 'over TCP'), 200_000),
  under(
    'one bridged update to each of 1,000 watches on one stream',
    at('bridge-watches', 'set to the last', 'all on one stream', ours, 1000),
    20e6,
  ),
]

/** What must be measured for the targets: scenarios, and which arms of them. */
export const neededForTargets = new Map()
for (const { scenario, what, where = '', by, size } of targets.flatMap(({ needs }) => needs)) {
  const arm = [what, where, ...(size === undefined ? [] : [size.toLocaleString('en')]), `: ${by}`].join('*')
  neededForTargets.set(scenario, [...(neededForTargets.get(scenario) ?? []), arm])
}

function find(figures, { scenario, what, where = '', by, size }) {
  return figures.find(
    (figure) =>
      figure.cannot === undefined &&
      figure.scenario === scenario &&
      figure.what.startsWith(what) &&
      (figure.where ?? '').startsWith(where) &&
      figure.by === by &&
      figure.size === size,
  )
}

/** The same by the quietest of the pieces of time that an arm was measured in. */
const quietest = ({ p50, quiet = p50, later, ...figure }) => ({ ...figure, ...(p50 && { p50: quiet }) })

/** Each target with what was measured; empty when none of them was. */
export function targetsTable(scenarios, elixir) {
  const all = [
    ...scenarios.flatMap(({ scenario, figures }) => figures.map((figure) => ({ ...figure, scenario }))),
    ...elixir.map((figure) => ({ ...figure, by: 'Elixir' })),
  ]
  const rows = targets.map(({ text, needs, target, judge }) => {
    const figures = needs.map((need) => find(all, need))
    if (figures.includes(undefined)) return [text, target, '', 'not measured', '', '']
    const verdict = ([measured, met]) => [measured, met ? 'met' : 'NOT MET']
    return [text, target, ...verdict(judge(...figures)), ...verdict(judge(...figures.map(quietest)))]
  })
  if (rows.every((row) => row[3] === 'not measured')) return ''
  const load = Math.max(...scenarios.map(({ machine }) => machine.load))
  const cores = Math.max(...scenarios.map(({ machine }) => machine.cores))
  const busy =
    load > 2 * cores
      ? `\nOthers were at work on this machine: a load of up to ${number(load)} on ${cores} cores.\n`
      : ''
  return `${table(['target', 'must be', 'median', '', 'quietest fifth', ''], rows)}\n${busy}`
}
