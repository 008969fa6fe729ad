import { createRequire } from 'node:module'
import type * as z from 'zod'

export type Zod = typeof z

const require = createRequire(import.meta.url)

/**
 * Zod, loaded when a schema is first needed: it takes longer to load than a thread to start, and most contexts never
 * need it. It is required rather than imported because a definition is checked in the turn that asks for it.
 */
export const zod = (): Zod => require('zod') as Zod
