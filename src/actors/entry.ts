import { pathToFileURL } from 'node:url'
import { BeamlineError } from '../errors.js'
import type { BehaviourFn, ProcessFn } from './behaviour.js'

/** Code by name, which any thread can load: an export of a module. */
export interface Entry {
  /** `import.meta.url`, a URL, an absolute path, or a package's specifier. */
  readonly module: string | URL
  /** `default` unless told. */
  readonly export?: string
}

/** An entry as it travels. */
export interface EntryName {
  readonly module: string
  readonly export: string
}

/**
 * The name under which every thread finds the same module.
 * @throws BeamlineError BAD_ENTRY for something that names no module
 */
export function nameOf(entry: Entry): EntryName {
  const { module, export: name = 'default' } = entry ?? {}
  const given = module instanceof URL ? module.href : module
  if (typeof given !== 'string' || given === '' || typeof name !== 'string') {
    throw new BeamlineError(
      'BAD_ENTRY',
      'an entry is { module, export? }: give the URL of a module and the name of an export',
    )
  }
  if (given.startsWith('.')) {
    const message = `the module '${given}' is relative, and every thread would look elsewhere: give new URL('${given}', import.meta.url)`
    throw new BeamlineError('BAD_ENTRY', message, { details: { module: given } })
  }
  return { module: given.startsWith('/') ? pathToFileURL(given).href : given, export: name }
}

/** Loads a module by its name. @throws BeamlineError BAD_ENTRY */
export type Loader = (module: string) => Promise<Record<string, unknown>>

/** What the processes of one thread are made of: an `import` costs more than a spawn, so each entry is loaded once. */
export class Entries {
  readonly #loaded = new Map<string, ProcessFn | BehaviourFn>()
  readonly #loader: Loader

  constructor(loader: Loader) {
    this.#loader = loader
  }

  /**
   * The function that an entry names.
   * @throws BeamlineError BAD_ENTRY when the module cannot be loaded (`cause` says why) or has no such function
   */
  load(entry: EntryName): ProcessFn | BehaviourFn | Promise<ProcessFn | BehaviourFn> {
    return this.#loaded.get(keyOf(entry)) ?? this.#load(entry)
  }

  async #load(entry: EntryName): Promise<ProcessFn | BehaviourFn> {
    const { module, export: name } = entry
    const found = (await this.#loader(module))[name]
    if (typeof found !== 'function') {
      const reason = found === undefined ? `has no export '${name}'` : `exports '${name}', but that is no function`
      const text = `the module ${module} ${reason}: export the function that is the process`
      throw new BeamlineError('BAD_ENTRY', text, { details: { module, export: name } })
    }
    this.#loaded.set(keyOf(entry), found as ProcessFn)
    return found as ProcessFn
  }
}

const keyOf = ({ module, export: name }: EntryName): string => `${module}#${name}`

/** @throws BeamlineError BAD_ENTRY with the `cause` when the module does not exist or fails while it loads */
export async function importModule(module: string): Promise<Record<string, unknown>> {
  try {
    return (await import(module)) as Record<string, unknown>
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    const message = `the module ${module} cannot be loaded (${why}): give the URL of a module that exists`
    throw new BeamlineError('BAD_ENTRY', message, { cause, details: { module } })
  }
}
