import type { Box } from '../../src-main/contract/basics.ts'
import type { Candidate, Preview } from '../../src-main/contract/engine-protocol.ts'

/** One place of the bar under the context box: a variant that waits, runs, is there, or failed. */
export interface CandidateSlot {
  /** Stable for the life of the slot. */
  readonly key: string
  /** The job it belongs to; the mask is remembered per job, so that painting on does not change what is shown of it. */
  readonly jobId: string
  readonly beta: number
  readonly seed: number
  readonly status: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled'
  /** Share that is done, 0..1. */
  readonly fraction: number
  readonly step: number
  readonly steps: number
  readonly secondsLeft: number | null
  /** Newest preview frame and the box of the document that it covers. */
  readonly preview: { readonly box: Box; readonly preview: Preview } | null
  readonly candidate: Candidate | null
  readonly failure: string | null
}
