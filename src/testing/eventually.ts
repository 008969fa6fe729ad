const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Waits until `check` neither throws nor returns false. */
export async function eventually(
  check: () => unknown,
  { timeout = 5000 }: { readonly timeout?: number } = {},
): Promise<void> {
  const start = Date.now()
  for (;;) {
    try {
      if ((await check()) !== false) return
      if (Date.now() - start > timeout) throw new Error(`still false after ${timeout} ms`)
    } catch (error) {
      if (Date.now() - start > timeout) throw error
    }
    await turn()
  }
}
