import type { CandidateSlot } from '../canvas/candidate-slot.ts'
import { failureLine } from '../i18n/index.svelte.ts'
import type { GenerateJob, Slot } from '../state/engine.svelte.ts'
import type { Staging } from '../state/staging.svelte.ts'

/** Places of the staging area as the canvas draws them, in the same order. */
export function canvasSlots(staging: Staging): CandidateSlot[] {
  const jobOf = new Map(staging.jobs.flatMap((job) => job.slots.map((slot): [Slot, GenerateJob] => [slot, job])))
  return staging.slots.map((slot) => {
    const job = jobOf.get(slot)
    return {
      key: slot.key,
      jobId: job?.id ?? '',
      beta: slot.variant.beta,
      seed: slot.variant.seed,
      status: slot.state === 'cancelled' ? 'done' : slot.state,
      fraction: slot.progress?.fraction ?? 0,
      step: slot.progress?.step ?? 0,
      steps: slot.progress?.steps ?? 0,
      secondsLeft: slot.progress?.secondsLeft ?? null,
      preview: slot.preview,
      candidate: slot.candidate,
      failure: slot.state === 'failed' && job?.failure ? failureLine(job.failure) : null,
    }
  })
}
