// Sees to it that what the tests need besides npm's packages is there: Python with grpcio and protobuf.
// As root on Debian it installs what is missing; elsewhere it says what that is, and the tests that need it fail.
import { spawnSync } from 'node:child_process'

const needed = ['python3-grpcio', 'python3-protobuf']
const pythons = [process.env.PYTHON, 'python3', '/usr/bin/python3'].filter((python) => python !== undefined)
const works = (python) => spawnSync(python, ['-c', 'import grpc, google.protobuf']).status === 0
const run = (command, args, env = {}) => {
  return spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0
}

if (!pythons.some(works)) {
  const isRoot = process.getuid?.() === 0
  const hasApt = spawnSync('apt-get', ['--version']).status === 0
  console.error(`Python cannot import grpc and google.protobuf; the Debian packages are ${needed.join(' and ')}`)
  if (isRoot && hasApt) {
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' }
    const install = () => run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...needed], quiet)
    if (!install() && run('apt-get', ['update', '-qq'], quiet)) install()
  } else {
    console.error(`install them (apt install ${needed.join(' ')}, or pip install grpcio protobuf), or set PYTHON`)
  }
  if (!pythons.some(works)) console.error('they are still missing: the tests that need them will fail')
}
