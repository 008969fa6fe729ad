import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../../test/bridge/python/', import.meta.url))

/** A Python that has what the clients of the tests need. @throws Error that says what to install */
export function python(): string {
  const candidates = [process.env['PYTHON'], 'python3', '/usr/bin/python3'].filter((one) => one !== undefined)
  const found = candidates.find((one) => spawnSync(one, ['-c', 'import grpc, google.protobuf']).status === 0)
  if (found !== undefined) return found
  throw new Error(
    'no Python with grpcio (1.51 or later) and protobuf (4.21 or later) was found: install them ' +
      '(Debian: apt install python3-grpcio python3-protobuf; else: pip install grpcio protobuf), ' +
      `or name one that has them in PYTHON. Tried: ${candidates.join(', ')}`,
  )
}

/** Runs a script of the tests; answers its lines of JSON. */
export async function runPython(script: string, args: readonly string[]): Promise<unknown[]> {
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1', GRPC_VERBOSITY: 'NONE' }
  const child = spawn(python(), [folder + script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${script} ended with ${code}:\n${err}`)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}
