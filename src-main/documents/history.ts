import { bytesBetween } from './mask-tiles.ts'
import type { Snapshot } from './snapshot.ts'

export interface Step {
  readonly label: string
  readonly mergeKey: string | null
  /** Milliseconds since 1970. */
  readonly at: number
  readonly before: Snapshot
  readonly after: Snapshot
}

/** Steps of one slider drag come closer together than this. */
const MERGE_WITHIN_MS = 1000
/** What a step costs besides mask tiles: a few objects. */
const STEP_BYTES = 4096

/**
 * Undo and redo as a line of snapshots. Whatever decides its shape (merging, forgetting) is worked out by `plan` and then written to the journal, so
 * that a replay makes exactly the same line.
 */
export class History {
  #present: Snapshot
  #done: Step[] = []
  #undone: Step[] = []

  constructor(present: Snapshot) {
    this.#present = present
  }

  get present(): Snapshot {
    return this.#present
  }

  get undoLabel(): string | null {
    return this.#done.at(-1)?.label ?? null
  }

  get redoLabel(): string | null {
    return this.#undone.at(-1)?.label ?? null
  }

  /** Whether the step melts into the last one, and how many of the oldest must be forgotten to stay within the budget. */
  plan(step: Step, budgetBytes: number): { merge: boolean; forget: number } {
    const last = this.#done.at(-1)
    const merge =
      last !== undefined && this.#undone.length === 0 && step.mergeKey !== null && last.mergeKey === step.mergeKey && step.at - last.at <= MERGE_WITHIN_MS
    let bytes = cost(step)
    let keep = 0
    for (const older of this.#done.toReversed()) {
      bytes += cost(older)
      if (bytes > budgetBytes) break
      keep++
    }
    return { merge, forget: merge ? 0 : this.#done.length - keep }
  }

  push(step: Step, { merge, forget }: { merge: boolean; forget: number }): void {
    const last = this.#done.at(-1)
    if (merge && last !== undefined) this.#done[this.#done.length - 1] = { ...step, before: last.before }
    else this.#done = [...this.#done.slice(forget), step]
    this.#undone = []
    this.#present = step.after
  }

  /** @returns false when there is nothing to undo */
  undo(): boolean {
    const step = this.#done.pop()
    if (step === undefined) return false
    this.#undone.push(step)
    this.#present = step.before
    return true
  }

  redo(): boolean {
    const step = this.#undone.pop()
    if (step === undefined) return false
    this.#done.push(step)
    this.#present = step.after
    return true
  }
}

const costs = new WeakMap<Step, number>()

function cost(step: Step): number {
  const known = costs.get(step)
  if (known !== undefined) return known
  const bytes = STEP_BYTES + bytesBetween(step.before.mask, step.after.mask)
  costs.set(step, bytes)
  return bytes
}
