import type { Metadata } from '../../variables/change.js'
import type { CommitEvent, NumberedInfo } from '../../variables/session-state.js'
import { withSource } from '../../variables/value-history.js'
import { Variable } from '../gen/snakepit/bridge/watch/v1/watch.js'
import { toVariable } from '../wire/native-codec.js'

/** A variable as one commit left it; it never changes, so whoever begins a snapshot keeps what was there then. */
export class Standing {
  /** What never changes of it; the rest of this is of its definition. */
  readonly born: NumberedInfo
  readonly value: unknown
  readonly version: number
  readonly revision: number
  readonly updatedAt: number
  /** Everything said of it so far. */
  readonly metadata: Metadata
  #info: NumberedInfo | undefined
  #body: Uint8Array | undefined

  private constructor(
    born: NumberedInfo,
    value: unknown,
    version: number,
    revision: number,
    updatedAt: number,
    metadata: Metadata,
  ) {
    this.born = born
    this.value = value
    this.version = version
    this.revision = revision
    this.updatedAt = updatedAt
    this.metadata = metadata
  }

  static of(info: NumberedInfo): Standing {
    return new Standing(info, info.value, info.version, info.revision, info.updatedAt, info.metadata)
  }

  /** What a set makes of it. */
  after({ value, version, revision, timestamp, said }: CommitEvent): Standing {
    const isSaid = said !== undefined || this.metadata['source'] !== 'local'
    const metadata = isSaid ? { ...this.metadata, ...withSource(said) } : this.metadata
    return new Standing(this.born, value, version, revision, timestamp, metadata)
  }

  get info(): NumberedInfo {
    const { value, version, revision, updatedAt, metadata } = this
    this.#info ??= { ...this.born, value, version, revision, updatedAt, metadata }
    return this.#info
  }

  /** A native `Variable`, made once for all who need it. */
  get body(): Uint8Array {
    this.#body ??= Variable.encode(toVariable(this.info)).finish()
    return this.#body
  }
}
