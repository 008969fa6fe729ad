let count = 0
const values = new Map()

/** The actor that comedy runs in a thread of its own. */
module.exports = class Counter {
  initialize(self) {
    this.parent = self.getParent()
  }

  call(value) {
    return value
  }

  tell() {
    count++
  }

  counted() {
    const now = count
    count = 0
    return now
  }

  set(value) {
    values.set('x', value)
    return this.parent.send('changed', value)
  }
}
