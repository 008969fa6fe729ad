/**
 * As on a processor that may show one store before an earlier one: then each store that shows something is an atomic one, at
 * which a test can let the writer die. To be imported before all that is tested.
 */
Object.defineProperty(process, 'arch', { value: 'arm64' })
