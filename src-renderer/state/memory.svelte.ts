import type { MemoryPlan, PlanJob } from '../../src-main/contract/memory-plan.ts'
import type { EngineStore } from './engine.svelte.ts'

/** Whether the next job fits into memory: the engine's word, asked again whenever what decides it changes. */
export class MemoryOutlook {
  plan = $state.raw<MemoryPlan | null>(null)
  readonly #engine: EngineStore
  /** Counts questions, so that a late answer never replaces a newer one. */
  #asked = 0

  constructor(engine: EngineStore) {
    this.#engine = engine
  }

  /** What is not known is not shown: a model that cannot be read is told of by the job itself. */
  async ask(job: PlanJob | null): Promise<void> {
    const question = ++this.#asked
    const plan = job === null ? null : await this.#engine.plan(job).catch(() => null)
    if (question === this.#asked) this.plan = plan
  }

  /** The plan where it is worth a line: something is done about memory, or nothing helps. */
  get told(): MemoryPlan | null {
    const { plan } = this
    return plan === null || plan.roomBytes === null || (plan.verdict === 'fits' && plan.rung === 'whole') ? null : plan
  }
}
