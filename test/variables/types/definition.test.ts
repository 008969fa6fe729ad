import { Session } from 'node:inspector'
import { assert, suite } from '../../harness.js'

const test = suite('definition')

test('a thread that only defines types does not load Zod', async () => {
  const zod: string[] = []
  const session = new Session()
  session.on('Debugger.scriptParsed', ({ params }) => {
    if (params.url.includes('/node_modules/zod/')) zod.push(params.url)
  })
  session.connect()
  session.post('Debugger.enable')
  await import('../../../src/variables/types/definition.js')
  await import('../../../src/variables/types/same-value.js')
  await import('../../../src/variables/types/value-types.js')
  assert.equal(zod, [])
  await import('../../../src/variables/types/index.js')
  assert.ok(zod.length > 0)
  session.disconnect()
})

test.run()
