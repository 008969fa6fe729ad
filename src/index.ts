export { BeamlineError, type ErrorCode } from './errors.js'
