import { Machine } from '../../src/cli/demo/machine.js'
import { parseMeminfo } from '../../src/cli/demo/proc-meminfo.js'
import { parseNetDev } from '../../src/cli/demo/proc-net-dev.js'
import { coreUse, parseProcStat } from '../../src/cli/demo/proc-stat.js'
import { assert, suite } from '../harness.js'

const test = suite('readings of the machine')

const stats: [what: string, text: string, cores: { busy: number; total: number }[]][] = [
  [
    'two cores, all but the idle and waiting time busy',
    'cpu  300 0 0 0\ncpu0 100 10 30 800 40 5 6 7 0 0\ncpu1 1 2 3 4 5 6 7 8 9 10\nintr 5 0\n',
    [
      { busy: 158, total: 998 },
      { busy: 27, total: 36 },
    ],
  ],
  ['an old kernel, which counts four times only', 'cpu0 1 2 3 4\n', [{ busy: 6, total: 10 }]],
  ['no cores', 'intr 5 0\nctxt 1\n', []],
  ['nothing', '', []],
]
for (const [what, text, cores] of stats) test(`/proc/stat: ${what}`, () => assert.equal(parseProcStat(text), cores))

const uses: [what: string, before: [number, number][], after: [number, number][], percents: number[]][] = [
  [
    'half, all, none',
    [
      [0, 0],
      [5, 5],
      [5, 5],
    ],
    [
      [5, 10],
      [9, 9],
      [5, 9],
    ],
    [50, 100, 0],
  ],
  ['no time has passed', [[5, 10]], [[5, 10]], [0]],
  ['a core that was not there', [], [[5, 10]], [0]],
  [
    'a core that has gone',
    [
      [1, 1],
      [5, 10],
    ],
    [[2, 2]],
    [100],
  ],
  ['counts that went back', [[9, 10]], [[5, 20]], [0]],
]
for (const [what, before, after, percents] of uses) {
  const times = (pairs: [number, number][]) => pairs.map(([busy, total]) => ({ busy, total }))
  test(`use of cores: ${what}`, () => assert.equal(coreUse(times(before), times(after)), percents))
}

const memories: [what: string, text: string, memory: unknown][] = [
  ['a usual one', 'MemTotal:  2000 kB\nMemFree: 5 kB\nMemAvailable: 1000 kB\n', { total: 2048000, available: 1024000 }],
  ['an old kernel', 'MemTotal: 2 kB\nMemFree: 1 kB\n', { total: 2048, available: 1024 }],
  ['without a total', 'MemFree: 1 kB\n', undefined],
  ['nothing', '', undefined],
]
for (const [what, text, memory] of memories) {
  test(`/proc/meminfo: ${what}`, () => assert.equal(parseMeminfo(text), memory))
}

const head =
  'Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n'
const networks: [what: string, text: string, traffic: { received: number; sent: number }][] = [
  [
    'the loopback does not count',
    `${head}    lo: 9 1 0 0 0 0 0 0 9 1\n  eth0: 100 1 0 0 0 0 0 0 20 1 0\n`,
    { received: 100, sent: 20 },
  ],
  [
    'a figure beside the colon',
    `${head}eth0:100 1 0 0 0 0 0 0 20 1\nwlan0: 1 1 0 0 0 0 0 0 2 1\n`,
    { received: 101, sent: 22 },
  ],
  ['no devices', head, { received: 0, sent: 0 }],
  ['nothing', '', { received: 0, sent: 0 }],
]
for (const [what, text, traffic] of networks) {
  test(`/proc/net/dev: ${what}`, () => assert.equal(parseNetDev(text), traffic))
}

const isPercent = (value: number) => value >= 0 && value <= 100

for (const [what, proc] of [
  ['as it is', undefined],
  ['without /proc', () => undefined],
] as const) {
  test(`this machine, ${what}`, () => {
    using machine = new Machine(proc)
    const sample = machine.read()
    assert.ok(isPercent(sample.cpu) && isPercent(sample.memory) && sample.memory > 0, JSON.stringify(sample))
    assert.ok(sample.cores.length > 0 && sample.cores.every(isPercent), JSON.stringify(sample))
    assert.ok(sample.load >= 0 && sample.net_in >= 0 && sample.net_out >= 0 && sample.loop_delay >= 0)
  })
}

test('rates are per second, between readings of known text', () => {
  const texts: Record<string, string> = {
    stat: 'cpu0 0 0 0 0\ncpu1 0 0 0 0\n',
    'net/dev': 'eth0: 0 0 0 0 0 0 0 0 0\n',
    meminfo: 'MemTotal: 4 kB\nMemAvailable: 1 kB\n',
  }
  using machine = new Machine((file) => texts[file])
  texts['stat'] = 'cpu0 30 0 0 70\ncpu1 100 0 0 0\n'
  texts['net/dev'] = 'eth0: 1000 0 0 0 0 0 0 0 500\n'
  const { cpu, cores, memory, net_in, net_out } = machine.read()
  assert.equal({ cpu, cores, memory }, { cpu: 65, cores: [30, 100], memory: 75 })
  assert.is(net_in, 2 * net_out)
  assert.ok(net_out > 0)
})

test.run()
