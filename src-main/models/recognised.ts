import type { ModelManifest } from '../contract/model-manifest.ts'
import type { PartKind } from '../contract/model-library.ts'

/** What somebody who can read weights says of a folder or file. The engine does; the library itself opens no tensor and has it handed in. */
export interface Recognised {
  readonly part: PartKind
  readonly family: ModelManifest['family'] | null
  /** One line for a person. */
  readonly says: string
  /** What keeps a model from being used, one line each. */
  readonly missing: readonly string[]
  /** Of a whole model; null otherwise. */
  readonly facts: Omit<ModelManifest, 'format' | 'id' | 'name' | 'defaults' | 'files' | 'licence' | 'source'> | null
}
/** @throws UserError that says what is missing or wrong */
export type Recognise = (path: string) => Promise<Recognised>
