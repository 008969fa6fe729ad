import type { ErrorReason } from '../../src/actors/exit-reason.js'
import { owner } from '../fixtures/tasks.js'
import { assert } from '../harness.js'
import { type Place, type Stage, stages } from '../support/stage.js'

const { each, run } = stages('tasks')

/** What an owner of tasks that runs there answers. */
async function play(stage: Stage, place: Place, scene: string): Promise<unknown> {
  await stage.spawn(place, owner, { boss: stage.self.pid, scene }, {}, 'tasks')
  return (await stage.hear<{ result: unknown }>()).result
}

/** Why an owner of tasks that runs there ends. */
async function end(stage: Stage, place: Place, scene: string): Promise<unknown> {
  const pid = await stage.spawn(place, owner, { boss: stage.self.pid, scene }, { monitor: true }, 'tasks')
  return stage.reasonOf(pid)
}

each('I1 the crash of a task ends an owner that does not trap exits', async (stage, place) => {
  assert.is(await end(stage, place, 'a crash'), 'task exit')
  assert.is(((await end(stage, place, 'a crash on the pool')) as ErrorReason).error.value, 'no error')
  const failed = ['NOPROC', 'task exit']
  assert.equal(await play(stage, place, 'a trapped crash'), ['task exit', failed])
})

each('I2 await that takes too long ends an owner that does not catch it', async (stage, place) => {
  const { error } = (await end(stage, place, 'a wait that is too long')) as ErrorReason
  assert.is(error.code, 'CALL_TIMEOUT')
})

each('I3 yield resolves to undefined when its time is over, and may be repeated', async (stage, place) => {
  const done = { value: 'done' }
  assert.equal(await play(stage, place, 'yield again'), [undefined, done, done, 'done'])
})

each('I4 shutdown ends a task, or gives the result that was there already', async (stage, place) => {
  assert.equal(await play(stage, place, 'shut down'), [undefined, { value: 'v' }, undefined, false])
})

each('I5 the crash of a task without a link is seen by yield only', async (stage, place) => {
  assert.equal(await play(stage, place, 'without a link'), [{ exit: 'task exit' }, 'NOPROC'])
})

each('I6 a task belongs to its owner: no message can carry it to another process', async (stage, place) => {
  assert.equal(await play(stage, place, 'sent on'), ['NOT_CLONEABLE', 'mine'])
})

each('I7 asyncStream keeps the order and the bound', async (stage, place) => {
  assert.equal(await play(stage, place, 'a stream'), { seen: [1, 2, 3, 4, 5, 6, 7, 8], most: 3 })
  const squares = [{ value: 1 }, { value: 4 }, { value: 9 }, { value: 16 }]
  assert.equal(await play(stage, place, 'a stream of the pool'), squares)
})

each('a task of the pool belongs to owners of all threads', async (stage, place) => {
  assert.is(await play(stage, place, 'a job'), 144)
})

each('a task is a process that others may monitor', async (stage, place) => {
  assert.equal(await play(stage, place, 'a task that monitors see'), ['normal', true, 'v'])
})

run()
