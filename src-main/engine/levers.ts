import type { Speed } from '../contract/speed.ts'

/** What a step of a run does, by the levers of its recipe. */
export interface StepPlan {
  /** Guidance is applied: the unconditional branch has a say. */
  readonly guided: boolean
  /** The U-Net runs whole; otherwise its outermost layers do, on deep features of the last whole step. */
  readonly whole: boolean
  /** RefineNet runs; otherwise its last features serve. */
  readonly refines: boolean
}

/** @param steps of the whole schedule, also where a guide makes the run begin at `first` */
export function planStep({ guidanceInterval: [from, to], reuse, refineEvery }: Speed, index: number, first: number, steps: number): StepPlan {
  const at = (index + 0.5) / steps
  return { guided: at >= from && at <= to, whole: (index - first) % reuse === 0, refines: (index - first) % refineEvery === 0 }
}
