#!/usr/bin/env node
import { createRequire } from 'node:module'
import { Command, CommanderError } from 'commander'
import { describeDemo } from './demo/command.js'

// By its own name the package finds itself wherever this file was built to.
const { version } = createRequire(import.meta.url)('beamline/package.json') as { version: string }

const program = new Command('beamline')
  .description("Elixir's processes for Node, on worker threads, and typed variables that any of them sets and watches")
  .version(version)
  .exitOverride()

describeDemo(program.command('demo'))

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // The message was printed already; what cannot be understood is 2, as in a shell.
  process.exitCode = error.exitCode === 0 ? 0 : 2
}
