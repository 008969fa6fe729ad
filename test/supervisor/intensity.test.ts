import fc from 'fast-check'
import { Intensity } from '../../src/supervisor/intensity.js'
import { assert, suite } from '../harness.js'

const test = suite('restart intensity')

const tables: [title: string, max: number, windowMs: number, times: number[], allowed: boolean[]][] = [
  ['none', 0, 5000, [0], [false]],
  ['three in five seconds', 3, 5000, [0, 1, 2, 3], [true, true, true, false]],
  ['the window slides', 2, 100, [0, 60, 101, 161], [true, true, true, true]],
  ['its edge is inside', 1, 100, [0, 100, 201], [true, false, true]],
  ['old ones are forgotten', 1, 1000, [0, 2100], [true, true]],
  ['any number', Number.POSITIVE_INFINITY, 1, [0, 0, 0], [true, true, true]],
]

for (const [title, max, windowMs, times, allowed] of tables) {
  test(title, () => {
    const intensity = new Intensity(max, windowMs)
    assert.equal(
      times.map((time) => intensity.allows(time)),
      allowed,
    )
  })
}

test('it says what a count of the whole history says', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50)), fc.nat(4), fc.integer({ min: 1, max: 60 }), (gaps, max, windowMs) => {
      const intensity = new Intensity(max, windowMs)
      const history: number[] = []
      for (const gap of gaps) {
        const now = (history.at(-1) ?? 0) + gap
        history.push(now)
        assert.is(intensity.allows(now), history.filter((time) => time >= now - windowMs).length <= max)
      }
    }),
  )
})

test.run()
