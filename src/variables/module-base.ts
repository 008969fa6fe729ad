import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { importModule } from '../actors/entry.js'
import { BeamlineError, shown } from '../errors.js'
import type { VariableInfo } from './change.js'

const segment = /^[A-Za-z_]\w*$/

/** Where the modules of a namespace are: a folder (a URL that ends with a slash) or a module whose exports they are. */
export type ModuleBases = Readonly<Record<string, string | URL>>

/** Bases as they travel. @throws BeamlineError BAD_ENTRY for one from which nothing can be imported */
export function checkBases(bases: ModuleBases): Record<string, string> {
  return Object.fromEntries(Object.entries(bases).map(([namespace, base]) => [namespace, hrefOf(namespace, base)]))
}

function hrefOf(namespace: string, base: unknown): string {
  const href = base instanceof URL ? base.href : base
  const isNamespace = namespace.split('.').every((part) => segment.test(part))
  if (isNamespace && typeof href === 'string' && isImportable(href)) return href
  const text = `modules: ${namespace} → ${shown(href)}: give a namespace such as 'Strategies' and the URL of files here, such as new URL('./strategies/', import.meta.url)`
  throw new BeamlineError('BAD_ENTRY', text, { details: { namespace, base: shown(href) } })
}

/** A folder is one of files; a module may also be one that needs none. */
function isImportable(href: string): boolean {
  if (!URL.canParse(href)) return false
  const { protocol } = new URL(href)
  if (protocol !== 'file:') return !href.endsWith('/') && (protocol === 'data:' || protocol === 'node:')
  try {
    return fileURLToPath(href) !== ''
  } catch {
    return false
  }
}

/**
 * Imports the module that a module variable names, from the base that was registered for its namespace and from nowhere
 * else. `Strategies.Fast` is `Fast.js`, `fast.js` or, for two words, `two-words.js` in the folder of `Strategies`, or
 * the export `Fast` of its module.
 * @throws BeamlineError NOT_FOUND when no base holds it
 */
async function resolveModule(name: string, bases: Readonly<Record<string, string>>): Promise<unknown> {
  const parts = name.split('.')
  for (let length = parts.length - 1; length > 0; length--) {
    const namespace = parts.slice(0, length).join('.')
    const base = Object.hasOwn(bases, namespace) ? bases[namespace] : undefined
    if (base !== undefined && parts.every((part) => segment.test(part)))
      return fromBase(name, base, parts.slice(length))
  }
  const known = Object.keys(bases).join(', ') || 'none'
  const text = `no base is registered for the module ${name} (known: ${known}): give Context.start { modules: { Namespace: url } }`
  throw new BeamlineError('NOT_FOUND', text, { details: { name } })
}

async function fromBase(name: string, base: string, path: readonly string[]): Promise<unknown> {
  if (!base.endsWith('/')) return exportOf(name, base, path.join('.'))
  const last = path[path.length - 1] as string
  const folder = path
    .slice(0, -1)
    .map((part) => `${part}/`)
    .join('')
  const kebab = last.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
  for (const file of new Set([last, last.toLowerCase(), kebab])) {
    const url = new URL(`${folder}${file}.js`, base)
    if (existsSync(fileURLToPath(url))) return importModule(url.href)
  }
  const text = `the module ${name} is not in ${base}: add ${kebab}.js there`
  throw new BeamlineError('NOT_FOUND', text, { details: { name, base } })
}

async function exportOf(name: string, base: string, key: string): Promise<unknown> {
  const exports = await importModule(base)
  if (Object.hasOwn(exports, key)) return exports[key]
  throw new BeamlineError('NOT_FOUND', `the module ${name} is no export of ${base}: export ${key} there`, {
    details: { name, base },
  })
}

/** Imports what a module variable names; see `Context.resolve` for the errors. */
export function resolveVariable(
  { name, type, base, value }: VariableInfo,
  bases: Parameters<typeof resolveModule>[1],
): Promise<unknown> {
  if (base === 'module') return resolveModule(value as string, bases)
  const text = `${name} is a ${type}: only a module variable can be resolved: define it with the type 'module'`
  throw new BeamlineError('INVALID_TYPE', text, { details: { name, type } })
}
