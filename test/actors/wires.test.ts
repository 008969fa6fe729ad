import { type Behaviour, behaviour } from '../../src/actors/behaviour.js'
import { KeptWire } from '../../src/actors/messages.js'
import { Process } from '../../src/actors/process.js'
import { Wire } from '../../src/threads/wire.js'
import { assert } from '../harness.js'
import { stages } from '../support/stage.js'

const { test, run } = stages('compact messages')

test('those that come before the behaviour of their process is made wait, in their order', async ({ self }) => {
  const host = Process.hostOf(self)
  const heard: unknown[] = []
  let ended = () => {}
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const pid = host.hire(
    behaviour(async (): Promise<Behaviour> => {
      return {
        handle(message) {
          if (message === 'end') return ended()
          heard.push(message instanceof KeptWire ? message.wire.value : message)
        },
        takeWire: ({ value }) => void heard.push(value),
      }
    }),
    undefined,
    'wired',
  )
  const wire = new Wire()
  for (const value of [1, 2]) {
    wire.value = value
    host.wires.hand(wire, pid)
  }
  self.send(pid, 'a message')
  self.send(pid, 'end')
  await end
  assert.equal(heard, [1, 2, 'a message'])
  self.exit(pid, 'kill')
})

run()
