import type { Metadata, VariableInfo } from '../../variables/change.js'
import type { NumberedInfo } from '../../variables/session-state.js'
import { type OptimizationStatus, type Variable, Variable_Source } from '../gen/snakepit/bridge/bridge.js'
import { encodeAny } from './any-codec.js'
import { writeJsonLoosely } from './json-text.js'

/** A variable as the clients of the compatible service know it. */
export function encodeVariable(info: VariableInfo | NumberedInfo): Variable {
  const { id, name, base, version, constraints, metadata, updatedAt } = info
  const { type, value, bytes } = encodeAny(info.value, base)
  return {
    id,
    name,
    type,
    value,
    constraintsJson: writeJsonLoosely(constraints),
    metadata: encodeMetadata(described(info, metadata)),
    source: sourceOf(metadata),
    lastUpdatedAt: new Date(updatedAt),
    version,
    accessControlJson: '',
    optimizationStatus: optimizationOf(info),
    binaryValue: bytes,
  }
}

/** Who registers a variable over this service describes it in its metadata; a host's own description stands there too. */
function described({ description }: VariableInfo, metadata: Metadata): Metadata {
  return description === undefined || 'description' in metadata ? metadata : { ...metadata, description }
}

/** Texts as they are, everything else as JSON. */
export function encodeMetadata(metadata: Metadata): Record<string, string> {
  const texts: [string, string][] = []
  for (const [key, value] of Object.entries(metadata)) {
    if (value === undefined) continue
    texts.push([key, typeof value === 'string' ? value : writeJsonLoosely(value)])
  }
  return Object.fromEntries(texts)
}

export function sourceOf({ source }: Metadata): Variable_Source {
  return source === 'python' || source === 'PYTHON' ? Variable_Source.PYTHON : Variable_Source.ELIXIR
}

function optimizationOf({ lease }: VariableInfo): OptimizationStatus {
  if (lease === undefined) return { optimizing: false, optimizerId: '', startedAt: undefined }
  return { optimizing: true, optimizerId: lease.holder, startedAt: new Date(lease.since) }
}
