import { Session } from 'node:inspector'
import { assert, suite } from '../../harness.js'

const test = suite('definition')

test('Zod is loaded by who needs a schema, and by no one else', async () => {
  const zod: string[] = []
  const session = new Session()
  session.on('Debugger.scriptParsed', ({ params }) => {
    if (params.url.includes('/node_modules/zod/')) zod.push(params.url)
  })
  session.connect()
  session.post('Debugger.enable')
  await import('../../../src/variables/types/index.js')
  const { compileValidator } = await import('../../../src/variables/types/validator.js')
  assert.is(compileValidator('v', 'float', { min: 0 }).parse('v', 1), 1)
  compileValidator('v', 'json')
  assert.equal(zod, [])
  compileValidator('v', 'json', { schema: { type: 'string' } })
  assert.ok(zod.length > 0)
  session.disconnect()
})

test.run()
