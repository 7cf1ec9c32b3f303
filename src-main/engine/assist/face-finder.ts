import { faceDetectorGraph } from '../graphs/face-detector.ts'
import { samplesOfBytes, type Rgb } from '../image/raster.ts'
import { resizeSmooth } from '../image/resize.ts'
import { CPU } from '../runtime/device.ts'
import { loadNetwork, type Network } from '../runtime/network.ts'
import type { Tensor } from '../runtime/tensor.ts'
import { readTfjsWeights } from '../weights/tfjs-weights.ts'

/** A face, in pixels of the picture; it may reach over the border. */
export interface Face {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  readonly score: number
}

/** Finds faces, surest first. */
export interface FaceSearch {
  find(picture: Rgb): Promise<Face[]>
  /** Frees the network; the next picture opens it anew. */
  release(): Promise<void>
}

/** The authors' own settings: what the longer side is scaled to, how sure is sure, and how far two boxes of one face agree. */
export const FACE_SETTINGS = { side: 416, minScore: 0.5, iou: 0.4 } as const

/** Width and height of the five anchors, in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
] as const
const VALUES = 5

/** @param manifest `tiny_face_detector_model-weights_manifest.json` */
export function openFaceFinder(manifest: string): FaceSearch {
  let opening: Promise<Network> | null = null
  const open = (): Promise<Network> => {
    opening ??= readTfjsWeights(manifest)
      .then((weights) => loadNetwork(faceDetectorGraph(weights), CPU))
      .catch((error: unknown) => {
        opening = null
        throw error
      })
    return opening
  }
  return {
    find: async (picture) => {
      const { cells } = await (await open()).run({ image: squareOf(picture) })
      if (cells === undefined) throw new TypeError('the face detector gave no cells')
      return facesOf(cells, Math.max(picture.width, picture.height))
    },
    release: async () => {
      const network = opening
      opening = null
      await (await network)?.release()
    },
  }
}

/** The picture in the upper left of a black square. */
function squareOf(picture: Rgb): Tensor {
  const { side } = FACE_SETTINGS
  const scale = side / Math.max(picture.width, picture.height)
  const [width, height] = [picture.width, picture.height].map((length) => Math.max(1, Math.round(length * scale))) as [number, number]
  const { values } = resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), width, height)
  const data = new Float32Array(3 * side * side)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let channel = 0; channel < 3; channel++) {
        data[(channel * side + row) * side + column] = values[(row * width + column) * 3 + channel]!
      }
    }
  }
  return { data, shape: [1, 3, side, side] }
}

/** @param length of the square's side in the picture's pixels */
function facesOf({ data, shape }: Tensor, length: number): Face[] {
  const [, , rows = 0, columns = 0] = shape
  const found: Face[] = []
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      for (const [anchor, [wide, high]] of ANCHORS.entries()) {
        const value = (at: number): number => data[((anchor * VALUES + at) * rows + row) * columns + column]!
        const score = sigmoid(value(4))
        if (score <= FACE_SETTINGS.minScore) continue
        const w = ((Math.exp(value(2)) * wide) / columns) * length
        const h = ((Math.exp(value(3)) * high) / rows) * length
        const x = ((column + sigmoid(value(0))) / columns) * length - w / 2
        const y = ((row + sigmoid(value(1))) / rows) * length - h / 2
        found.push({ x, y, w, h, score })
      }
    }
  }
  found.sort((a, b) => b.score - a.score)
  const kept: Face[] = []
  for (const face of found) if (kept.every((other) => iou(face, other) <= FACE_SETTINGS.iou)) kept.push(face)
  return kept
}

function iou(a: Face, b: Face): number {
  const w = Math.max(0, Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x))
  const h = Math.max(0, Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y))
  return (w * h) / (a.w * a.h + b.w * b.h - w * h)
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x))
}
