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

  /** In the order they are drawn: a strip by beta, candidates as they were asked for. Places that were cancelled empty, or that are tried again, are gone. */
  get slots(): readonly Slot[] {
    const all = this.jobs.flatMap((job) => job.slots)
    const slots = all.filter(
      (slot, index) =>
        slot.candidate !== null || (slot.state !== 'cancelled' && !(slot.state === 'failed' && all.some((other, at) => at > index && same(slot, other)))),
    )
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
    return slots.find((slot) => slot.key === this.selectedKey) ?? this.#firstToShow(slots) ?? slots.find((slot) => slot.preview) ?? slots[0] ?? null
  }

  /** Until one is chosen: the first that has come, of a strip the one nearest to the beta that was asked for. */
  #firstToShow(slots: readonly Slot[]): Slot | undefined {
    const come = slots.filter((slot) => slot.candidate)
    const wanted = this.jobs[0]?.recipe.beta ?? 0
    return this.kind === 'strip' ? come.toSorted((a, b) => Math.abs(a.variant.beta - wanted) - Math.abs(b.variant.beta - wanted))[0] : come[0]
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

  /** Adds to what is there. */
  add(job: GenerateJob): void {
    this.jobs = [...this.jobs, job]
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

function same(one: Slot, other: Slot): boolean {
  return one.variant.seed === other.variant.seed && one.variant.beta === other.variant.beta
}
