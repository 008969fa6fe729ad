import { BeamlineError, shown } from '../../../errors.js'
import { isPlainObject } from '../../../variables/types/refusal.js'
import type { ToolSpec as WireSpec } from '../../gen/snakepit/bridge/bridge.js'
import { encodeResult, jsonOf } from '../../wire/any-codec.js'

/** A parameter of a tool, for those who are to call it. */
export interface ToolParameter {
  readonly name: string
  /** `any` unless told. */
  readonly type?: string
  readonly description?: string
  /** Whether calls without it make no sense. False unless told. */
  readonly required?: boolean
  readonly default?: unknown
  /** What else its values obey: plain JSON. */
  readonly validation?: Readonly<Record<string, unknown>>
}

/** A tool as it is told of. */
export interface ToolSpec {
  readonly name: string
  readonly description?: string
  readonly parameters?: readonly ToolParameter[]
  readonly metadata?: Readonly<Record<string, string>>
  /** Whether clients are told of it and may call it. True unless told. */
  readonly exposed?: boolean
  /** Whether it answers part by part. */
  readonly streaming?: boolean
}

/** For one who runs a tool. */
export interface ToolCall {
  readonly session: string
  readonly metadata: Readonly<Record<string, string>>
  /** Aborts when nobody waits for the answer any more. */
  readonly signal: AbortSignal
}

/** A function of the host that clients call by name. What it answers, or each part of it, is plain data. */
export interface Tool extends ToolSpec {
  readonly run: (parameters: Readonly<Record<string, unknown>>, call: ToolCall) => unknown
}

/** @throws BeamlineError INVALID_TYPE for what is no tool */
export function checkTool(tool: unknown): Tool {
  if (!isPlainObject(tool)) throw invalid(`is ${shown(tool)}: give an object with a name and a function run`)
  const { name, run, parameters } = tool
  if (typeof name !== 'string' || name === '') throw invalid(`has the name ${shown(name)}: give it a text`)
  if (typeof run !== 'function') throw invalid(`'${name}' has ${shown(run)} as run: give it a function`)
  if (parameters !== undefined && !Array.isArray(parameters))
    throw invalid(`'${name}' has ${shown(parameters)} as parameters: give it a list`)
  // What cannot be told to clients is found here, and not when one asks.
  encodeSpec(tool as unknown as Tool)
  return tool as unknown as Tool
}

const invalid = (words: string) => new BeamlineError('INVALID_TYPE', `a tool ${words}`)

/** What is told of a tool to other processes: without its function. */
export function specOf({ name, description, parameters, metadata, exposed, streaming }: Tool): ToolSpec {
  return {
    name,
    ...(description !== undefined && { description }),
    ...(parameters !== undefined && { parameters }),
    ...(metadata !== undefined && { metadata }),
    ...(streaming !== undefined && { streaming }),
    exposed: exposed ?? true,
  }
}

export function encodeSpec({
  name,
  description = '',
  parameters = [],
  metadata = {},
  streaming = false,
}: ToolSpec): WireSpec {
  return {
    name,
    description,
    parameters: parameters.map((parameter) => ({
      name: parameter.name,
      type: parameter.type ?? 'any',
      description: parameter.description ?? '',
      required: parameter.required ?? false,
      defaultValue: parameter.default === undefined ? undefined : encodeResult(parameter.default),
      validationJson: jsonOf(parameter.validation ?? {}),
    })),
    metadata: { ...metadata },
    supportsStreaming: streaming,
    requiredVariables: [],
  }
}
