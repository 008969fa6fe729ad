export { defineType, type TypeOptions } from './definition.js'
export { sameValue } from './same-value.js'
export { compileValidator, type Validator } from './validator.js'
export {
  type ConstraintsOf,
  type JsonValue,
  type NestedNumbers,
  type Tensor,
  type TypeDefinition,
  type TypeName,
  typeNames,
  type ValueOf,
} from './value-types.js'
