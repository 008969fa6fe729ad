import type { ServerFrame, ServerItem } from '../../src/bridge/gen/snakepit/bridge/watch/v1/watch.js'
import { assert, eventually, suite } from '../harness.js'
import { range } from '../support/recorder.js'
import { systemFor } from '../support/system.js'
import { FrameProxy, type Tamper } from './support/frame-proxy.js'
import { Link } from './support/link.js'

const test = suite('faults: a server with a bug', { timeout: 30_000 })
const system = systemFor(test, { threads: 1 })

const hasBatch = ({ items }: ServerFrame) => items.some(({ kind }) => kind?.$case === 'batch')

/** Does something to the items of the next frame that has a batch, once. */
const items = (change: (items: ServerItem[]) => ServerItem[]): Tamper => {
  let done = false
  return (frame) => {
    if (done || !hasBatch(frame)) return [frame]
    done = true
    return [{ ...frame, items: change(frame.items) }]
  }
}

/** Does something to the next frame that has a batch and the one after it, once. */
const frames = (change: (first: ServerFrame, second: ServerFrame) => ServerFrame[]): Tamper => {
  let first: ServerFrame | undefined
  let done = false
  return (frame) => {
    if (done) return [frame]
    if (first === undefined) {
      if (!hasBatch(frame)) return [frame]
      first = frame
      return []
    }
    done = true
    return change(first, frame)
  }
}

const isBatch = ({ kind }: ServerItem) => kind?.$case === 'batch'

const bugs: [what: string, tamper: () => Tamper][] = [
  ['a frame is missing', () => frames((_first, second) => [second])],
  ['a frame comes twice', () => frames((first, second) => [first, first, second])],
  ['two frames come in the wrong order', () => frames((first, second) => [second, first])],
  ['a batch is missing in its frame', () => items((all) => all.filter((item) => !isBatch(item)))],
  [
    'a batch is twice in its frame',
    () => items((all) => all.flatMap((item) => (isBatch(item) ? [item, item] : [item]))),
  ],
]
for (const [what, tamper] of bugs) {
  test(`fault 30: ${what}: it is noticed, and made up for`, async () => {
    await using link = await Link.open(system(), ['a', 'b'])
    await using frameProxy = await FrameProxy.start(link.server.address)
    link.proxy.upstream = frameProxy.address
    link.proxy.reset()
    await eventually(() => link.bridge.state === 'ready' && frameProxy.opened === 1)
    await link.watch(['a', 'b'])
    frameProxy.tamper = tamper()
    for (const _ of range(1, 30)) {
      await Promise.all([link.write(['a'], link.there), link.write(['a', 'b'], link.there)])
      await new Promise((resolve) => setImmediate(resolve))
    }
    await link.judge()
    assert.ok(frameProxy.opened >= 2, 'the stream was not given up')
    assert.is((await link.bridge.stats()).gaps, 1)
    assert.equal(link.watching[0]?.watch.state, 'live')
  })
}

test.run()
