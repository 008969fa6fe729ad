/** How much a server takes from its clients. What goes beyond is answered RESOURCE_EXHAUSTED, and never waits. */
export interface Limits {
  /** Bytes of one message, either way; 4 MiB. */
  readonly maxMessageBytes: number
  /** Watches of one stream; 10,000. */
  readonly maxWatches: number
  /** Selectors of one watch; 256. */
  readonly maxSelectors: number
  /** Events that one watch may have under way; 65,536. */
  readonly maxCredit: number
  /** Snapshots under way at once; 8. */
  readonly maxSnapshots: number
  /** Streams open at once; 1,000. */
  readonly maxStreams: number
  /** Sessions at once; 10,000. */
  readonly maxSessions: number
  /** Variables of one session; unlimited. */
  readonly maxVariables: number
  /** Calls a second of one token or, without tokens, of one peer address; commands on a stream count too. Unlimited. */
  readonly rate: number
}

export const defaultLimits: Limits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxWatches: 10_000,
  maxSelectors: 256,
  maxCredit: 65_536,
  maxSnapshots: 8,
  maxStreams: 1000,
  maxSessions: 10_000,
  maxVariables: Number.POSITIVE_INFINITY,
  rate: Number.POSITIVE_INFINITY,
}
