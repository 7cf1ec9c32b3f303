import type { Candidate } from '../../src-main/contract/engine-protocol.ts'
import type { GenerateJob, JobKind, Slot } from './engine.svelte.ts'

/**
 * Candidates that wait for a decision: under the context box, best known preview shown in place. They live outside the document and its undo;
 * only an accepted one becomes part of it. The canvas stays usable all the while.
 */
export class Staging {
  jobs = $state.raw<readonly GenerateJob[]>([])
  selectedKey = $state<string | null>(null)
  /** Slot under the pointer, shown instead of the selected one. */
  hoveredKey = $state<string | null>(null)
  /** True while the row of thumbnails is folded away; the shown candidate stays in place. */
  folded = $state(false)

  get kind(): JobKind | null {
    return this.jobs[0]?.kind ?? null
  }

  /** In the order they are drawn: a strip by beta, candidates as they were asked for. Places that were cancelled before anything came are gone. */
  get slots(): readonly Slot[] {
    const slots = this.jobs.flatMap((job) => job.slots).filter((slot) => slot.state !== 'cancelled' || slot.candidate !== null)
    return this.kind === 'strip' ? slots.toSorted((a, b) => a.variant.beta - b.variant.beta) : slots
  }

  get active(): boolean {
    return this.jobs.length > 0
  }

  get running(): boolean {
    return this.jobs.some((job) => job.open)
  }

  get selected(): Slot | null {
    const slots = this.slots
    return slots.find((slot) => slot.key === this.selectedKey) ?? slots.find((slot) => slot.candidate) ?? slots.find((slot) => slot.preview) ?? slots[0] ?? null
  }

  /** What the canvas shows in place: `candidate` when there is one, else `preview`, else nothing yet. */
  get shown(): Slot | null {
    return this.slots.find((slot) => slot.key === this.hoveredKey) ?? this.selected
  }

  /** The candidate that Accept would take. */
  get acceptable(): Candidate | null {
    return this.selected?.candidate ?? null
  }

  /** Replaces what was there. */
  begin(job: GenerateJob): void {
    this.jobs = [job]
    this.selectedKey = null
    this.hoveredKey = null
    this.folded = false
  }

  /** Adds to what is there: a value of beta between two ticks. */
  add(job: GenerateJob): void {
    this.jobs = [...this.jobs, job]
    this.selectedKey = job.slots[0]?.key ?? this.selectedKey
  }

  select(key: string): void {
    this.selectedKey = key
  }

  /** Walks through the slots, round the end. */
  walk(by: 1 | -1): void {
    const slots = this.slots
    const from = this.selected ? slots.indexOf(this.selected) : 0
    const next = slots[(from + by + slots.length) % slots.length]
    if (next) {
      this.selectedKey = next.key
      this.hoveredKey = null
    }
  }

  clear(): void {
    this.jobs = []
    this.selectedKey = null
    this.hoveredKey = null
  }
}
