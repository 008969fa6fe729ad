// From `await ctx.set()` to the callback of a watch when the variable lives in another process, behind a bridge.
import { startServer, transports } from './harness/child.js'
import { runBench } from './harness/run.js'
import { setToCallback } from './harness/store.js'
import { Echo, UnaryAndStream } from './peers/grpc.js'

const what = 'set to callback in another process'

for (const transport of transports) {
  const where = `over ${transport}`
  const raw = await startServer('grpc-server', transport)
  const echo = setToCallback({ what, where }, new Echo(raw))
  setToCallback({ what, where }, await UnaryAndStream.open(raw), { against: echo })
}

await runBench('bridge')
process.exit()
