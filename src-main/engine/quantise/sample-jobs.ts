import { join } from 'node:path'
import type { BlobRef, Box } from '../../contract/basics.ts'
import { sha256Of } from '../../pictures/blob-store.ts'
import { alphaOf } from '../../pictures/channels.ts'
import { toSrgb8 } from '../../pictures/colour.ts'
import { decodePicture } from '../../pictures/decode.ts'
import { readFileOrExplain } from '../../pictures/files.ts'
import type { Coverage } from '../image/raster.ts'
import { opaqueRgb, rgbOf } from '../read-inputs.ts'
import type { CalibrationJob } from './make.ts'

interface Sample {
  readonly scene: string
  /** Where to paint, as shares of the scene's sides. */
  readonly at: readonly [left: number, top: number, width: number, height: number]
  readonly subject: string | null
  readonly mode: 'insert' | 'subject' | 'text'
  readonly prompt: string
  readonly beta: number
}

/** One of each mode: subject and text, subject alone, text alone; different light, colours and sizes. */
const SAMPLES: readonly Sample[] = [
  { scene: 'cafe-table.jpg', at: [0.35, 0.35, 0.25, 0.4], subject: 'pear.png', mode: 'insert', prompt: 'a ripe yellow pear', beta: 0.3 },
  { scene: 'meadow.jpg', at: [0.4, 0.45, 0.2, 0.35], subject: 'teddy.png', mode: 'subject', prompt: '', beta: 1 },
  { scene: 'portrait.jpg', at: [0.2, 0.55, 0.6, 0.45], subject: null, mode: 'text', prompt: 'a dark red woollen scarf', beta: 0 },
]

/** The jobs that models are looked at in, made of the sample pictures. @param folder `resources/samples` @throws UserError `file-unreadable` */
export async function sampleJobs(folder: string): Promise<CalibrationJob[]> {
  const jobs: CalibrationJob[] = []
  for (const [at, sample] of SAMPLES.entries()) {
    const scene = rgbOf(await picture(join(folder, sample.scene)))
    const mask = boxed(scene.width, scene.height, sample.at)
    const subjects = []
    const refs = []
    if (sample.subject !== null) {
      const decoded = await picture(join(folder, sample.subject))
      const { width, height } = decoded
      const cutout = { width, height, pixels: alphaOf(decoded) ?? new Uint8Array(width * height).fill(255) }
      subjects.push({ picture: opaqueRgb(decoded), cutout })
      refs.push({ picture: refOf(decoded), cutout: refOf(cutout) })
    }
    const { mode, prompt, beta } = sample
    jobs.push({ scene, mask, subjects, recipe: { mode, prompt, beta, seed: at, scene: refOf(scene), mask: refOf(mask), subjects: refs } })
  }
  return jobs
}

async function picture(path: string) {
  return await toSrgb8(await decodePicture(await readFileOrExplain(path), { name: path }))
}

/** Names pixels in the engine's cache; these pictures are in no store. */
function refOf({ width, height, pixels }: { width: number; height: number; pixels: Uint8Array }): BlobRef {
  return { sha256: sha256Of(pixels), width, height }
}

function boxed(width: number, height: number, [left, top, w, h]: Sample['at']): Coverage {
  const box: Box = { x: Math.round(left * width), y: Math.round(top * height), w: Math.round(w * width), h: Math.round(h * height) }
  const pixels = new Uint8Array(width * height)
  for (let row = box.y; row < Math.min(height, box.y + box.h); row++) pixels.fill(255, row * width + box.x, row * width + Math.min(width, box.x + box.w))
  return { width, height, pixels }
}
