import { BinaryReader, BinaryWriter } from '@bufbuild/protobuf/wire'
import { makeGenericClientConstructor, type ServiceDefinition } from '@grpc/grpc-js'

/** A value with a name, or its version: the least that a protocol of variables would send. */
export interface Item {
  readonly name: string
  readonly value: number
}

const encode = ({ name, value }: Item): Buffer => {
  const bytes = new BinaryWriter().uint32(10).string(name).uint32(17).double(value).finish()
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function decode(bytes: Buffer): Item {
  const reader = new BinaryReader(bytes)
  let name = ''
  let value = 0
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === 10) name = reader.string()
    else if (tag === 17) value = reader.double()
    else reader.skip(tag & 7)
  }
  return { name, value }
}

const method = (name: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/raw.Variables/${name}`,
  requestStream,
  responseStream,
  requestSerialize: encode,
  requestDeserialize: decode,
  responseSerialize: encode,
  responseDeserialize: decode,
})

/** What a user would write without any library: a set by call, changes by stream; and all by one stream. */
export const service = {
  set: method('Set', false, false),
  watch: method('Watch', false, true),
  session: method('Session', true, true),
} satisfies ServiceDefinition

export const RawClient = makeGenericClientConstructor(service, 'Variables')
