import { Agent } from '../../src/actors/agent/agent.js'
import { ProcessGroups } from '../../src/actors/groups/process-groups.js'
import { Registry } from '../../src/actors/registry/registry.js'
import { assert } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, run } = stages('what a supervisor starts')
const module = new URL('../fixtures/agent-functions.js', import.meta.url)

test('a registry, groups and an agent are children: linked, named, and ended by their parent', async (stage) => {
  stage.self.trapExit = true
  const registry = Registry.child({ keys: 'unique', name: 'child 0' })
  const groups = ProcessGroups.child({ name: 'child 1' })
  const agent = Agent.child({ module, export: 'makeList' }, { args: [1, 2], name: 'child 2' })
  for (const { entry, args, options } of [registry, groups, agent]) await stage.self.spawn(entry, args, options)
  const handle = await Registry.attach(stage.self, 'child 0')
  await handle.register('k')
  await ProcessGroups.attach(stage.self, 'child 1').join('g')
  const list = Agent.attach<number[]>(stage.self, 'child 2')
  assert.is(await list.get<number>({ module, export: 'total' }), 3)
  // An end of its entries does not undo the link of a child with its parent.
  await handle.unregister('k')
  for (const name of ['child 0', 'child 1', 'child 2']) {
    const pid = stage.system.pidOf(name)
    stage.self.exit(pid, 'shutdown')
    assert.equal(await stage.hear(), { type: 'EXIT', pid, reason: 'shutdown' })
  }
})

test('what cannot be started is refused at once', async () => {
  assert.throwsCode(() => Registry.child({ keys: 'both' as never }), 'INVALID_TYPE')
  assert.throwsCode(() => Agent.child({ module: './relative.js' }), 'BAD_ENTRY')
})

run()
