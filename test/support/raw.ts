/** Numbers of each kind that numpy writes, and their bytes. */
export const rawNumbers: readonly (readonly [dtype: string, bytes: Buffer, numbers: number[]])[] = [
  ['float64', Buffer.from('000000000000f83f000000000000f07f', 'hex'), [1.5, Infinity]],
  ['float32', Buffer.from('0000c03f000080ff', 'hex'), [1.5, -Infinity]],
  ['float16', Buffer.from('003e00c00100007cff7b', 'hex'), [1.5, -2, 2 ** -24, Infinity, 65504]],
  ['int64', Buffer.from('feffffffffffffff', 'hex'), [-2]],
  ['int32', Buffer.from('feffffff01000000', 'hex'), [-2, 1]],
  ['int16', Buffer.from('feff', 'hex'), [-2]],
  ['int8', Buffer.from('fe', 'hex'), [-2]],
  ['uint64', Buffer.from('0200000000000000', 'hex'), [2]],
  ['uint32', Buffer.from('ffffffff', 'hex'), [2 ** 32 - 1]],
  ['uint16', Buffer.from('ffff', 'hex'), [65535]],
  ['uint8', Buffer.from('ff', 'hex'), [255]],
  ['bool', Buffer.from('000102', 'hex'), [0, 1, 1]],
]
