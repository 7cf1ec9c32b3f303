import type { EngineEvent, EngineRequest } from '../contract/engine-protocol.ts'
import { UserError } from '../contract/errors.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import type { Workshop } from './job.ts'

/** What a guest answers at once, whatever runs; it must not run a model for it. */
export type GuestQuestion = Extract<EngineRequest, { type: 'look-benchmark' | 'size-evaluation' | 'look-evaluation' | 'report-evaluation' }>
/** What a guest does behind every job of a window. */
export type GuestJob = Extract<EngineRequest, { type: 'evaluate' }>

/** What the engine lends a guest while its job runs. */
export interface Host {
  readonly workshop: Omit<Workshop, 'model'>
  /** Works with a model of the store, which every other job uses too. */
  readonly workshopOf: (model: GuestModel) => Workshop
  readonly tell: (event: EngineEvent) => void
  readonly cancelled: () => boolean
  /** Whether a job of a window waits. */
  readonly wanted: () => boolean
  /** Lets those jobs go first. */
  readonly giveWay: () => Promise<void>
}

export interface GuestModel {
  readonly manifest: ModelManifest
  readonly sha256: string
  /** Whether it can be given a subject, which decides what memory it needs. */
  readonly subject: boolean
  readonly steps: number
  readonly guidance: number
}

/**
 * Long work that is done in the engine's process with its models, by code that the engine does not know. It runs when nothing else does, gives way to whatever a window asks,
 * and must keep what it has done.
 */
export interface Guest {
  answer(question: GuestQuestion): Promise<EngineEvent>
  /** @throws Cancelled */
  run(job: GuestJob, host: Host): Promise<void>
}

/** An engine without guests. */
export const noGuest: Guest = {
  answer: () => Promise.reject(new UserError('not-here', 'this engine judges no models')),
  run: () => Promise.reject(new UserError('not-here', 'this engine judges no models')),
}
