import type { Box } from '../../../src-main/contract/basics.ts'
import type { Placement } from '../../../src-main/contract/recipe.ts'

export interface PlacementSituation {
  readonly maskBounds: Box | null
  readonly documentWidth: number
  readonly documentHeight: number
}

/** Where the subject's cut-out stands: fitted into the mask's box by itself until a hand touches it. */
export class PlacementState {
  readonly #situation: () => PlacementSituation
  /** What goes into the recipe; null while it is fitted automatically. */
  value = $state.raw<Placement | null>(null)
  /** Width by height of the cut-out's own box; null while there is no subject. */
  aspect = $state<number | null>(null)
  /** A hand is on it right now. */
  handled = $state(false)

  constructor(situation: () => PlacementSituation) {
    this.#situation = situation
  }

  /** Where to draw it; null without a subject, or without a mask while it was not placed. */
  get shown(): Placement | null {
    if (this.aspect === null) return null
    if (this.value !== null) return this.value
    const { maskBounds } = this.#situation()
    return maskBounds === null ? null : fitInto(maskBounds, this.aspect)
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
  takeAspect(aspect: number | null): void {
    const before = this.aspect
    this.aspect = aspect
    if (this.value === null || aspect === null || before === null || Math.abs(aspect - before) < 1e-3) return
    const area = this.value.width * this.value.height
    this.value = { ...this.value, width: Math.sqrt(area * aspect), height: Math.sqrt(area / aspect) }
  }

  #change(change: (placement: Placement) => Placement): void {
    const { shown } = this
    if (shown !== null) this.value = change(shown)
  }
}

/** The largest placement of an aspect that stands inside a box, in its middle. */
export function fitInto(box: Box, aspect: number): Placement {
  const width = Math.min(box.w, box.h * aspect)
  return { centreX: box.x + box.w / 2, centreY: box.y + box.h / 2, width, height: width / aspect, degrees: 0, flipX: false, flipY: false }
}

/** -180 (excluded) .. 180. */
export function wrapDegrees(degrees: number): number {
  const turned = ((degrees % 360) + 360) % 360
  return turned > 180 ? turned - 360 : turned
}
