import { spawnSync } from 'node:child_process'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './scenario.mjs'

const folder = join(root, 'bench', 'peers')

/** Installs what only benchmarks need, unless it is there. Who cannot is told so, and measures what is there. */
export function installPeers() {
  const installed = join(folder, 'node_modules', '.package-lock.json')
  const lock = join(folder, 'package-lock.json')
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return
  console.log('== the peers are installed')
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--silent']
  const { status } = spawnSync('npm', ['ci', '--prefix', folder, ...flags], { stdio: ['ignore', 'inherit', 'inherit'] })
  if (status !== 0) console.error('the peers cannot be installed: their rows say so')
}
