import type { ClickSelect, Selectable } from '../../engine/assist/click-select.ts'
import type { CutOut } from '../../engine/assist/cutout.ts'
import type { Coverage } from '../../engine/image/raster.ts'
import type { Photo } from '../stages.ts'

/** What two stages look at in one photo, computed at the first wish and kept until the next photo comes: an embedding is 17 MB and costs seconds, so neither many nor none are kept. */
export class Looks {
  private sha256 = ''
  private saliencyOf: Promise<Coverage> | null = null
  private selectableOf: Promise<Selectable> | null = null
  private readonly cutOut: () => CutOut
  private readonly clickSelect: (() => ClickSelect) | null
  private openCutOut: CutOut | null = null
  private openSelect: ClickSelect | null = null

  /** @param clickSelect null where objects are found by saliency alone */
  constructor(cutOut: () => CutOut, clickSelect: (() => ClickSelect) | null) {
    this.cutOut = cutOut
    this.clickSelect = clickSelect
  }

  get canSelect(): boolean {
    return this.clickSelect !== null
  }

  async saliency(photo: Photo): Promise<Coverage> {
    this.turnTo(photo)
    this.openCutOut ??= this.cutOut()
    return await (this.saliencyOf ??= this.openCutOut(photo.picture))
  }

  async selectable(photo: Photo): Promise<Selectable> {
    if (this.clickSelect === null) throw new RangeError('there is no click-select here')
    this.turnTo(photo)
    this.openSelect ??= this.clickSelect()
    return await (this.selectableOf ??= this.openSelect(photo.picture))
  }

  release(): void {
    this.sha256 = ''
    this.saliencyOf = null
    this.selectableOf = null
    this.openCutOut = null
    this.openSelect = null
  }

  private turnTo(photo: Photo): void {
    if (photo.sha256 === this.sha256) return
    this.sha256 = photo.sha256
    this.saliencyOf = null
    this.selectableOf = null
  }
}
