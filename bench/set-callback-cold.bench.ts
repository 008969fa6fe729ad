// The same after 10 ms in which nobody had anything to do.
import { ActorSystem, Context } from '../src/index.js'
import { runBench } from './harness/run.js'
import { setToCallback, storeOf, storesOf } from './harness/store.js'
import { remotes } from './peers/index.js'
import { Raw } from './peers/raw.js'

const IDLE = 10
const topic = { what: 'set to callback', where: `across two threads, after ${IDLE} ms of idleness` }
const often = { idle: IDLE, count: 400 }

const raw = new Raw()
const others = await remotes()
const system = await ActorSystem.start({ threads: 1 })
const trip = setToCallback(topic, raw, often)
setToCallback(topic, await storeOf(await Context.start(system)), { ...often, against: trip })
for (const store of storesOf(others, topic)) setToCallback(topic, store, { ...often, against: trip })

await runBench('set-callback-cold')
process.exit()
