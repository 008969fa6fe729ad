// The layers of docs/design.md: imports only go down. It reads the built code, as that needs no compiler of its own; what
// is imported for its types alone is gone from there, so test/workshop/layers.test.ts looks at that.
const layers = ['cli', 'bridge', 'variables', 'supervisor', 'actors', 'threads']

const upward = layers.map((layer, index) => ({
  name: `${layer}-imports-down-only`,
  severity: 'error',
  from: { path: `^build/src/${layer}/` },
  to: { path: `^build/src/(${[...layers.slice(0, index), 'testing'].join('|')})/` },
}))

const rule = (name, from, to) => ({ name, severity: 'error', from, to })

module.exports = {
  forbidden: [
    ...upward,
    rule('no-cycles', { path: '^build/src/' }, { circular: true }),
    rule('errors-is-the-bottom', { path: '^build/src/errors\\.js$' }, { path: '^build/src/' }),
    rule(
      'index-is-the-top',
      { path: `^build/src/(${[...layers.slice(1), 'testing'].join('|')})/` },
      { path: '^build/src/index\\.js$' },
    ),
    rule(
      'supervisors-are-like-users',
      { path: '^build/src/supervisor/' },
      {
        path: '^build/src/(actors|threads)/',
        pathNot: '^build/src/(actors/(behaviour|exit-reason|messages|owner|process|server|system)|threads/pid)\\.js$',
      },
    ),
    rule('testing-stands-on-three', { path: '^build/src/testing/' }, { path: '^build/src/(cli|bridge|supervisor)/' }),
    rule(
      'threads-and-actors-start-fast',
      { path: '^build/src/(threads|actors)/' },
      { path: 'node_modules/(zod|commander|@grpc)' },
    ),
    rule(
      'only-pools-knows-piscina',
      { path: '^build/src/', pathNot: '^build/src/threads/pools\\.js$' },
      { path: 'node_modules/piscina' },
    ),
    rule(
      'commander-is-for-the-cli',
      { path: '^build/src/', pathNot: '^build/src/cli/' },
      { path: 'node_modules/commander' },
    ),
    rule(
      'only-the-door-knows-comlink',
      { path: '^build/src/', pathNot: '^build/src/variables/door/' },
      { path: 'node_modules/comlink' },
    ),
    rule(
      'foreign-threads-start-fast',
      { path: '^build/src/variables/door/remote\\.js$' },
      { path: 'node_modules/(zod|piscina|commander|@grpc)', reachable: true },
    ),
    rule(
      'only-the-bridge-knows-grpc',
      { path: '^build/src/', pathNot: '^build/src/bridge/' },
      { path: 'node_modules/(@grpc|grpc-health-check|@bufbuild)' },
    ),
    rule(
      'grpc-is-loaded-by-actors-alone',
      { path: '^build/src/index\\.js$' },
      { path: 'node_modules/(@grpc|grpc-health-check|@bufbuild)', reachable: true },
    ),
    rule('everything-resolves', { path: '^build/src/' }, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.d\\.ts$' },
    moduleSystems: ['es6', 'cjs'],
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
}
