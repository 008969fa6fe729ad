// The layers of docs/design.md: imports only go down. It reads the built code, as that needs no compiler of its own.
const layers = ['cli', 'bridge', 'variables', 'supervisor', 'actors', 'threads']

const upward = layers.map((layer, index) => ({
  name: `${layer}-imports-down-only`,
  severity: 'error',
  from: { path: `^build/src/${layer}/` },
  to: { path: `^build/src/(${[...layers.slice(0, index), 'testing'].join('|')})/` },
}))

const builtIn = (name, from, to) => ({ name, severity: 'error', from, to })

module.exports = {
  forbidden: [
    ...upward,
    builtIn('no-cycles', { path: '^build/src/' }, { circular: true }),
    builtIn('errors-is-the-bottom', { path: '^build/src/errors\\.js$' }, { path: '^build/src/' }),
    builtIn(
      'index-is-the-top',
      { path: `^build/src/(${layers.slice(1).join('|')})/` },
      { path: '^build/src/index\\.js$' },
    ),
    builtIn(
      'threads-and-actors-start-fast',
      { path: '^build/src/(threads|actors)/' },
      { path: 'node_modules/(zod|commander|@grpc)' },
    ),
    builtIn(
      'only-pools-knows-piscina',
      { path: '^build/src/', pathNot: '^build/src/threads/pools\\.js$' },
      { path: 'node_modules/piscina' },
    ),
    builtIn(
      'commander-is-for-the-cli',
      { path: '^build/src/', pathNot: '^build/src/cli/' },
      { path: 'node_modules/commander' },
    ),
    builtIn('everything-resolves', { path: '^build/src/' }, { couldNotResolve: true }),
  ],
  options: { doNotFollow: { path: 'node_modules' }, exclude: { path: '\\.d\\.ts$' }, moduleSystems: ['es6', 'cjs'] },
}
