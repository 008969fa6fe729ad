import { assert, suite } from '../harness.js'
import { contextsFor } from '../support/contexts.js'
import { Recorder } from '../support/recorder.js'

const test = suite('seed: advanced variable types')
const withContext = contextsFor(test)

test(
  'choice type with validation',
  withContext(async (ctx) => {
    await ctx.define('environment', 'choice', 'development', {
      constraints: { choices: ['development', 'staging', 'production'] },
      description: 'Deployment environment',
    })
    assert.is((await ctx.describe('environment')).description, 'Deployment environment')
    for (const valid of ['staging', 'production']) {
      await ctx.set('environment', valid)
      assert.is(await ctx.get('environment'), valid)
    }
    await assert.rejects(
      ctx.set('environment', 'testing'),
      'CONSTRAINT',
      /must be one of: development, staging, production/,
    )
    assert.is(await ctx.get('environment'), 'production')

    const seen = new Recorder()
    await ctx.watchOne('environment', seen.callback)
    await ctx.set('environment', 'development')
    assert.equal(seen.steps, [['production', 'development']])
  }),
)

test(
  'module type for dynamic behavior',
  withContext(async (ctx) => {
    await ctx.define('strategy', 'module', 'Strategies.Default', {
      constraints: { namespace: 'Strategies', choices: ['Default', 'Optimized', 'Experimental'] },
    })
    await ctx.set('strategy', 'Strategies.Optimized')
    assert.is(await ctx.get('strategy'), 'Strategies.Optimized')
    await assert.rejects(ctx.set('strategy', 'Other.Module'), 'CONSTRAINT', /Strategies\.Default/)
    await assert.rejects(ctx.set('strategy', 'Strategies.Custom'), 'CONSTRAINT', /Strategies\.Experimental/)
    assert.is(await ctx.get('strategy'), 'Strategies.Optimized')

    await ctx.define('processor', 'module', 'DefaultProcessor', { constraints: { pattern: '.*Processor$' } })
    for (const valid of ['CustomProcessor', 'My.Deep.Nested.Processor']) {
      await ctx.set('processor', valid)
      assert.is(await ctx.get('processor'), valid)
    }
    await assert.rejects(ctx.set('processor', 'InvalidModule'), 'CONSTRAINT', /must match pattern: \.\*Processor\$/)
    assert.is(await ctx.get('processor'), 'My.Deep.Nested.Processor')
  }),
)

test(
  'reactive type changes',
  withContext(async (ctx) => {
    const settings: Record<string, { max_tokens: number; cost_per_1k: number }> = {
      'gpt-3.5-turbo': { max_tokens: 2048, cost_per_1k: 0.002 },
      'gpt-4': { max_tokens: 4096, cost_per_1k: 0.03 },
      'claude-3': { max_tokens: 8192, cost_per_1k: 0.015 },
    }
    await ctx.define('model', 'choice', 'gpt-3.5-turbo', { constraints: { choices: Object.keys(settings) } })
    await ctx.define('max_tokens', 'integer', 2048)
    await ctx.define('cost_per_1k', 'float', 0.002)
    await ctx.watchOne('model', (_name, _previous, model) => ctx.updateMany(settings[String(model)] ?? {}))

    for (const model of ['gpt-4', 'claude-3', 'gpt-3.5-turbo']) {
      await using related = ctx.changes(['max_tokens', 'cost_per_1k'])
      await ctx.set('model', model)
      const [first, second] = [await related.next(), await related.next()]
      assert.is(first.value?.meta.revision, second.value?.meta.revision)
      assert.equal(await ctx.getMany(['max_tokens', 'cost_per_1k']), settings[model])
    }
  }),
)

test.run()
