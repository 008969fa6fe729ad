import { Observable, Subject } from 'threads/observable'
import { expose } from 'threads/worker'

let count = 0
const values = new Map()
const changes = new Subject()

expose({
  call: (value) => value,
  tell: () => void count++,
  count() {
    const counted = count
    count = 0
    return counted
  },
  changes: () => Observable.from(changes),
  set(value) {
    values.set('x', value)
    changes.next(value)
  },
})
