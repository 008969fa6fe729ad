#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { describeGet, describeHistory, describeList } from './commands/reading.js'
import { describeServe } from './commands/serve.js'
import { describeSet } from './commands/set.js'
import { describeWatch } from './commands/watch.js'
import { describeDemo } from './demo/command.js'

// By its own name the package finds itself wherever this file was built to.
const { version } = createRequire(import.meta.url)('beamline/package.json') as { version: string }

const program = new Command('beamline')
  .description("Elixir's processes for Node, on worker threads, and typed variables that any of them sets and watches")
  .version(version)
  .exitOverride()

describeDemo(program.command('demo'))
describeServe(program.command('serve'))
describeGet(program.command('get'))
describeSet(program.command('set'))
describeList(program.command('list'))
describeWatch(program.command('watch'))
describeHistory(program.command('history'))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // The message was printed already; what cannot be understood is 2, as in a shell.
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
