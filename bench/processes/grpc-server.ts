// Raw grpc-js: keeps values, and tells those who watch. Its address is its argument; where it listens it tells its parent.
import {
  type handleBidiStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
} from '@grpc/grpc-js'
import { type Item, service } from '../peers/grpc-service.js'

const [, , address = '127.0.0.1:0'] = process.argv
const values = new Map<string, number>()
const watchers = new Map<string, Set<(item: Item) => void>>()

function store(item: Item): void {
  values.set(item.name, item.value)
  for (const tell of watchers.get(item.name) ?? []) tell(item)
}

function watch(name: string, tell: (item: Item) => void): () => void {
  const others = watchers.get(name) ?? new Set()
  watchers.set(name, others.add(tell))
  return () => others.delete(tell)
}

const set: handleUnaryCall<Item, Item> = ({ request }, answer) => {
  store(request)
  answer(null, request)
}

const watching: handleServerStreamingCall<Item, Item> = (call) => {
  const stop = watch(call.request.name, (item) => call.write(item))
  call.on('cancelled', stop)
  call.write({ name: '', value: 0 })
}

const session: handleBidiStreamingCall<Item, Item> = (call) => {
  call.on('data', (item: Item) => {
    values.set(item.name, item.value)
    call.write(item)
  })
  call.on('end', () => call.end())
  call.on('error', () => {})
}

const server = new Server()
server.addService(service, { set, watch: watching, session })
server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error
  process.send?.({ address: address.startsWith('unix:') ? address : `127.0.0.1:${port}` })
})
process.on('disconnect', () => process.exit())
