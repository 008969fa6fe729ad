let count = 0

export const call = (value: number): number => value

export const tell = (): void => void count++

export function counted(): number {
  const now = count
  count = 0
  return now
}
