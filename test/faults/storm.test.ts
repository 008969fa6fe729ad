import { SeededRandom } from '../../src/testing/seeded-random.js'
import { assert, suite } from '../harness.js'
import { systemFor } from '../support/system.js'
import { Storm } from './support/storm.js'

const test = suite('faults: a storm of them', { timeout: 90_000 })
const system = systemFor(test, { threads: 1 })

for (const kills of [false, true]) {
  test(`random faults under load${kills ? ', the server killed among them' : ''}: nothing is lost, nothing twice`, async () => {
    const seed = Number(process.env['BEAMLINE_SEED'] ?? Date.now() % 1_000_000)
    const faults: string[] = []
    const random = new SeededRandom(seed)
    try {
      await using storm = await Storm.open(system(), {
        random,
        clients: 3,
        watches: 30,
        variables: 20,
        onFault: (fault) => faults.push(fault),
      })
      for (let round = 0; round < 2; round++) await storm.round(5000, kills)
      assert.ok(storm.writes > 500 && storm.told > 1000, `${storm.writes} writes, ${storm.told} told`)
    } catch (cause) {
      throw new Error(`by BEAMLINE_SEED=${seed}, after ${faults.join(', ')}: ${(cause as Error).message}`, { cause })
    }
  })
}

test.run()
