import type { Metadata } from '../../../variables/change.js'

/** What a variable is registered with: under the caller's own words. */
export const wordsOfBirth = (metadata: Readonly<Record<string, string>>): Metadata => ({
  source: 'elixir',
  created_by: 'session_store',
  ...metadata,
})

/** What a write says of itself: who wrote, unless the caller says so, and when. */
export const wordsOfWrite = (metadata: Readonly<Record<string, string>>): Metadata => ({
  source: 'elixir',
  ...metadata,
  updated_at: new Date().toISOString(),
})
