import { MAX_DEPTH } from '../threads/tree-copier.js'

/**
 * How many levels deep a value may be nested, or metadata. A change carries them deeper inside than the write that
 * brought them, and what no message can carry must be found before the commit.
 */
export const MAX_NESTING = MAX_DEPTH - 8
