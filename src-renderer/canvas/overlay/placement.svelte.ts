import type { Box } from '../../../src-main/contract/basics.ts'
import type { Placement } from '../../../src-main/contract/recipe.ts'
import { fitSubject, type CutoutShape } from './fit-subject.ts'

export interface PlacementSituation {
  /** Box of the mask's marked pixels; null for none. */
  readonly region: Box | null
  readonly marked: (x: number, y: number) => boolean
}

/** Where the subject's cut-out stands: fitted into the mask's box by itself until a hand touches it. */
export class PlacementState {
  readonly #situation: () => PlacementSituation
  /** What goes into the recipe; null while it is fitted automatically. */
  value = $state.raw<Placement | null>(null)
  /** The subject's cut-out; null while there is no subject. */
  shape = $state.raw<CutoutShape | null>(null)
  /** A hand is on it right now. */
  handled = $state(false)

  readonly #fitted: Placement | null = $derived.by(() => {
    const { region, marked } = this.#situation()
    return region === null || this.shape === null ? null : fitSubject(this.shape, region, marked)
  })

  constructor(situation: () => PlacementSituation) {
    this.#situation = situation
  }

  /** Where to draw it; null without a subject, or without a mask while it was not placed. */
  get shown(): Placement | null {
    return this.shape === null ? null : (this.value ?? this.#fitted)
  }

  get touched(): boolean {
    return this.value !== null
  }

  /** Back to the automatic fit. */
  reset(): void {
    this.value = null
  }

  flipX(): void {
    this.#change((placement) => ({ ...placement, flipX: !placement.flipX }))
  }

  flipY(): void {
    this.#change((placement) => ({ ...placement, flipY: !placement.flipY }))
  }

  nudge(dx: number, dy: number): void {
    this.#change((placement) => ({ ...placement, centreX: placement.centreX + dx, centreY: placement.centreY + dy }))
  }

  rotate(degrees: number): void {
    this.#change((placement) => ({ ...placement, degrees: wrapDegrees(placement.degrees + degrees) }))
  }

  scale(factor: number): void {
    this.#change((placement) => ({ ...placement, width: Math.max(placement.width * factor, 1), height: Math.max(placement.height * factor, 1) }))
  }

  /** Another subject, another shape: a hand-made placement keeps its place and area, with the new proportions. */
  takeShape(shape: CutoutShape | null): void {
    const before = this.shape
    this.shape = shape
    if (this.value === null || shape === null || before === null) return
    const aspect = shape.width / shape.height
    if (Math.abs(aspect - before.width / before.height) < 1e-3) return
    const area = this.value.width * this.value.height
    this.value = { ...this.value, width: Math.sqrt(area * aspect), height: Math.sqrt(area / aspect) }
  }

  #change(change: (placement: Placement) => Placement): void {
    const { shown } = this
    if (shown !== null) this.value = change(shown)
  }
}

/** -180 (excluded) .. 180. */
export function wrapDegrees(degrees: number): number {
  const turned = ((degrees % 360) + 360) % 360
  return turned > 180 ? turned - 360 : turned
}
