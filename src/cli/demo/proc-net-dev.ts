/** Bytes that have crossed the network since the machine started. */
export interface Traffic {
  readonly received: number
  readonly sent: number
}

/** The bytes of all network devices but the loopback, from the text of `/proc/net/dev`. */
export function parseNetDev(text: string): Traffic {
  let received = 0
  let sent = 0
  for (const line of text.split('\n')) {
    const [, device, figures] = /^\s*([^:\s]+):\s*(.*)$/.exec(line) ?? []
    if (device === undefined || figures === undefined || device === 'lo') continue
    const numbers = figures.trim().split(/\s+/).map(Number)
    received += numbers[0] ?? 0
    sent += numbers[8] ?? 0
  }
  return { received, sent }
}
