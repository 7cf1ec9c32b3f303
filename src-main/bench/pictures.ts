import { createHash } from 'node:crypto'
import type { BlobRef } from '../contract/basics.ts'
import type { Recipe } from '../contract/recipe.ts'
import type { PresetName } from '../contract/speed.ts'
import { presetSettings } from '../contract/speed.ts'
import type { Coverage, Rgb } from '../engine/image/raster.ts'
import type { JobInputs } from '../engine/job.ts'
import type { SubjectInput } from '../engine/subject.ts'

/** What differs between the jobs of the bench. */
export interface JobSettings {
  readonly preset: PresetName
  readonly steps: number
  readonly guidance: number
  /** Side at which the model works. */
  readonly size: number
  readonly beta: number
  readonly subjects: number
  readonly seed: number
}

/** A job of drawn pictures: time does not depend on what is on them. The scene is as large as the model's square, the mask its middle. */
export function benchJob(model: Recipe['model'], settings: JobSettings): JobInputs {
  const { preset, steps, guidance, size, beta, seed } = settings
  const scene = gradient(size, 0)
  const mask = square(size, size / 4)
  const subjects = Array.from({ length: settings.subjects }, (_, at): SubjectInput => ({ picture: gradient(256, at + 1), cutout: square(256, 32) }))
  const pulled = presetSettings(preset, { steps, guidance, fewSteps: false })
  return {
    scene,
    mask,
    subjects,
    recipe: {
      format: 1,
      mode: 'insert',
      model,
      scene: ref(scene),
      mask: ref(mask),
      subjects: subjects.map(({ picture, cutout }) => ({ picture: ref(picture), cutout: ref(cutout) })),
      prompt: 'a green pear on a table',
      negative: '',
      beta,
      placement: null,
      guideStrength: 0,
      detailTransfer: 0,
      contextBox: { x: 0, y: 0, w: size, h: size },
      contextPadding: 1.3,
      size,
      featherPx: 4,
      sampler: 'ddim',
      steps: pulled.steps,
      guidance: pulled.guidance,
      rescale: 0,
      seed,
      refine: true,
      speed: pulled.speed,
      unconditionalBeta: null,
    },
  }
}

function gradient(side: number, variant: number): Rgb {
  const pixels = new Uint8Array(side * side * 3)
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      pixels[at++] = Math.round(127 + 120 * Math.sin((x * (variant + 1)) / 37))
      pixels[at++] = Math.round((255 * y) / side)
      pixels[at++] = (x ^ y) & 255
    }
  }
  return { width: side, height: side, pixels }
}

/** A square of coverage with `margin` on each side. */
function square(side: number, margin: number): Coverage {
  const pixels = new Uint8Array(side * side)
  for (let y = margin; y < side - margin; y++) pixels.fill(255, y * side + margin, (y + 1) * side - margin)
  return { width: side, height: side, pixels }
}

function ref({ width, height, pixels }: Rgb | Coverage): BlobRef {
  return { sha256: createHash('sha256').update(pixels).digest('hex'), width, height }
}
