import type { Box } from '../../src-main/contract/basics.ts'
import type { Candidate, Preview } from '../../src-main/contract/engine-protocol.ts'
import { context2d, fetchBlob } from './images.ts'
import type { MaskTiles } from './mask/mask-tiles.ts'
import type { PlacedPicture } from './raster/layer-raster.ts'

/** Patches kept decoded, so that walking through candidates does not flicker. */
const KEPT_PATCHES = 12
/** Longest side of the mask that a preview is cut with. */
const PREVIEW_MASK_PX = 512

/** Pictures of candidates and previews, ready to be drawn over the layers. */
export class CandidatePictures {
  readonly #patches = new Map<string, ImageBitmap | 'loading'>()
  readonly #previews = new WeakMap<Preview, OffscreenCanvas>()
  readonly #masks = new Map<string, MaskTiles>()
  readonly #alphas = new Map<string, OffscreenCanvas>()
  readonly #onarrive: (box: Box) => void
  readonly #onfailure: (cause: unknown) => void

  constructor(onarrive: (box: Box) => void, onfailure: (cause: unknown) => void) {
    this.#onarrive = onarrive
    this.#onfailure = onfailure
  }

  /** Remembers the mask that a job works under; the first call counts. Jobs not named any more are forgotten. */
  rememberMasks(jobIds: readonly string[], snapshot: () => MaskTiles): void {
    const known = new Set(jobIds)
    for (const id of this.#masks.keys()) if (!known.has(id)) this.#masks.delete(id)
    for (const key of this.#alphas.keys()) if (!known.has(key.slice(0, key.lastIndexOf('@')))) this.#alphas.delete(key)
    for (const id of known) if (!this.#masks.has(id)) this.#masks.set(id, snapshot())
  }

  /** The patch at its box, or null while it is still on its way. */
  patch(candidate: Candidate): PlacedPicture | null {
    const { sha256 } = candidate.patch
    const known = this.#patches.get(sha256)
    if (known === undefined) void this.#load(candidate)
    if (known === undefined || known === 'loading') return null
    return { image: known, box: candidate.box }
  }

  /** Fetches ahead, so that a click shows at once. */
  preload(candidates: readonly Candidate[]): void {
    for (const candidate of candidates) if (!this.#patches.has(candidate.patch.sha256)) void this.#load(candidate)
  }

  /** A preview frame, shown only where the job's mask covers. */
  preview(jobId: string, box: Box, preview: Preview): PlacedPicture {
    let picture = this.#previews.get(preview)
    if (picture === undefined) {
      picture = this.#cutPreview(jobId, box, preview)
      this.#previews.set(preview, picture)
    }
    return { image: picture, box }
  }

  clear(): void {
    for (const patch of this.#patches.values()) if (patch !== 'loading') patch.close()
    this.#patches.clear()
    this.#masks.clear()
    this.#alphas.clear()
  }

  async #load(candidate: Candidate): Promise<void> {
    const { sha256 } = candidate.patch
    this.#patches.set(sha256, 'loading')
    try {
      this.#patches.set(sha256, await fetchBlob(sha256))
      for (const [key, old] of this.#patches) {
        if (this.#patches.size <= KEPT_PATCHES) break
        if (key === sha256 || old === 'loading') continue
        old.close()
        this.#patches.delete(key)
      }
      this.#onarrive(candidate.box)
    } catch (cause) {
      this.#patches.delete(sha256)
      this.#onfailure(cause)
    }
  }

  #cutPreview(jobId: string, box: Box, preview: Preview): OffscreenCanvas {
    const frame = new OffscreenCanvas(preview.width, preview.height)
    context2d(frame).putImageData(new ImageData(new Uint8ClampedArray(preview.rgba), preview.width, preview.height), 0, 0)
    const alpha = this.#alpha(jobId, box)
    if (alpha === null) return frame
    const out = new OffscreenCanvas(Math.max(frame.width, alpha.width), Math.max(frame.height, alpha.height))
    const context = context2d(out)
    context.imageSmoothingQuality = 'high'
    context.drawImage(frame, 0, 0, out.width, out.height)
    context.globalCompositeOperation = 'destination-in'
    context.drawImage(alpha, 0, 0, out.width, out.height)
    return out
  }

  #alpha(jobId: string, box: Box): OffscreenCanvas | null {
    const mask = this.#masks.get(jobId)
    if (mask === undefined) return null
    const key = `${jobId}@${[box.x, box.y, box.w, box.h].join()}`
    let alpha = this.#alphas.get(key)
    if (alpha === undefined) this.#alphas.set(key, (alpha = maskAlpha(mask, box)))
    return alpha
  }
}

/** The mask's coverage in a box as alpha, scaled down to a size for the eye. */
function maskAlpha(mask: MaskTiles, box: Box): OffscreenCanvas {
  const share = Math.min(1, PREVIEW_MASK_PX / Math.max(box.w, box.h))
  const w = Math.max(Math.round(box.w * share), 1)
  const h = Math.max(Math.round(box.h * share), 1)
  const pixels = new ImageData(w, h)
  for (let y = 0; y < h; y++) {
    const py = box.y + Math.floor(((y + 0.5) * box.h) / h)
    for (let x = 0; x < w; x++) pixels.data[(y * w + x) * 4 + 3] = mask.at(box.x + Math.floor(((x + 0.5) * box.w) / w), py)
  }
  const canvas = new OffscreenCanvas(w, h)
  context2d(canvas).putImageData(pixels, 0, 0)
  return canvas
}
