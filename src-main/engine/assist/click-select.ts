import { Tensor as OrtTensor, type InferenceSession } from 'onnxruntime-node'
import { samplesOfBytes, type Coverage, type Rgb } from '../image/raster.ts'
import { resizeLinear, resizeSmooth } from '../image/resize.ts'
import { onnxFile } from './onnx-file.ts'

/** Side of the square that the networks see; prompts are pixels of it. */
const SIDE = 1024
const MEAN = [0.485, 0.456, 0.406] as const
const STD = [0.229, 0.224, 0.225] as const
const LOGIT_SIDE = 256
/** Prompts that are decoded in one run: more is no faster on a CPU and costs 25 MB each. */
const BATCH = 8
/** Meta's labels of a prompt's points. */
const EXCLUDE = 0
const INCLUDE = 1
const BOX_TOP_LEFT = 2
const BOX_BOTTOM_RIGHT = 3

/** What the person, or a program, points at; pixels of the picture, fractions allowed. */
export interface SelectPrompt {
  readonly include: readonly { readonly x: number; readonly y: number }[]
  readonly exclude?: readonly { readonly x: number; readonly y: number }[]
  readonly box?: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  /** The logits of an answer that this prompt mends. */
  readonly mends?: Float32Array
}

/** One of the answers to a prompt. */
export interface SelectAnswer {
  /** Above 0 = selected; 256 x 256 over the whole square, see `coverageOfLogits`. */
  readonly logits: Float32Array
  /** The network's own guess of the IoU with what was meant, 0 .. 1. */
  readonly predictedIou: number
}

/** A picture that has been looked at: prompts are quick now. */
export interface Selectable {
  /** Three answers a prompt, from part to whole where the prompt leaves it open. */
  ask(prompts: readonly SelectPrompt[]): Promise<SelectAnswer[][]>
  /** 255 = selected; the size of the picture. */
  coverage(logits: Float32Array): Coverage
  /** Image features, [256, 64, 64], of the square. */
  readonly features: Float32Array
}

export interface ClickSelectFiles {
  readonly encoder: string
  readonly decoder: string
}

/** Looks at a picture; takes seconds on a CPU. */
export type ClickSelect = (picture: Rgb) => Promise<Selectable>

/**
 * Segmentation by clicks and boxes: SAM 2 tiny (Ravi et al. 2024). The picture is squeezed to 1024 x 1024 and normalised as its authors do: the encoder's graph has no constants of a
 * normalisation, and on garments it finds clicked things better with it than with the plain 0 .. 1 that the package's own code feeds.
 */
export function openClickSelect(files: ClickSelectFiles): ClickSelect {
  const openEncoder = onnxFile(files.encoder, 'click-select')
  const openDecoder = onnxFile(files.decoder, 'click-select')
  return async (picture) => {
    const encoder = await openEncoder()
    const embedded = await encoder.run({ image: new OrtTensor('float32', squareOf(picture), [1, 3, SIDE, SIDE]) })
    const features = embedded['image_embed']?.data
    if (!(features instanceof Float32Array)) throw new TypeError('the click-select encoder gave no floats')
    return {
      features,
      ask: async (prompts) => {
        const decoder = await openDecoder()
        const answers: SelectAnswer[][] = []
        for (const batch of batches(prompts)) answers.push(...(await decode(decoder, embedded, picture, batch)))
        return answers
      },
      coverage: (logits) => coverageOfLogits(logits, picture.width, picture.height),
    }
  }
}

/** Normalised planes of the squeezed picture. */
function squareOf(picture: Rgb): Float32Array {
  const { values } = resizeSmooth(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), SIDE, SIDE)
  const planes = new Float32Array(3 * SIDE * SIDE)
  for (let at = 0; at < SIDE * SIDE; at++) {
    for (let channel = 0; channel < 3; channel++) planes[channel * SIDE * SIDE + at] = (values[at * 3 + channel]! / 255 - MEAN[channel]!) / STD[channel]!
  }
  return planes
}

/** Prompts of one run must have equally many points and all or none of them a mask to mend. */
function batches(prompts: readonly SelectPrompt[]): SelectPrompt[][] {
  const runs: SelectPrompt[][] = []
  for (const prompt of prompts) {
    const last = runs.at(-1)
    const first = last?.[0]
    if (last !== undefined && first !== undefined && last.length < BATCH && sameShape(first, prompt)) last.push(prompt)
    else runs.push([prompt])
  }
  return runs
}

function sameShape(a: SelectPrompt, b: SelectPrompt): boolean {
  return pointCount(a) === pointCount(b) && (a.mends === undefined) === (b.mends === undefined)
}

function pointCount({ include, exclude = [], box }: SelectPrompt): number {
  return include.length + exclude.length + (box === undefined ? 0 : 2)
}

async function decode(
  decoder: InferenceSession,
  embedded: InferenceSession.OnnxValueMapType,
  picture: Rgb,
  prompts: readonly SelectPrompt[],
): Promise<SelectAnswer[][]> {
  const [first] = prompts
  if (first === undefined) return []
  const points = pointCount(first)
  if (points === 0) throw new RangeError('a prompt needs a point or a box')
  const coordinates = new Float32Array(prompts.length * points * 2)
  const labels = new Float32Array(prompts.length * points)
  const mended = new Float32Array(prompts.length * LOGIT_SIDE * LOGIT_SIDE)
  for (const [row, prompt] of prompts.entries()) {
    let at = row * points
    const put = (x: number, y: number, label: number): void => {
      coordinates[at * 2] = (x / picture.width) * SIDE
      coordinates[at * 2 + 1] = (y / picture.height) * SIDE
      labels[at++] = label
    }
    // The authors put the box's corners first.
    if (prompt.box !== undefined) {
      put(prompt.box.x, prompt.box.y, BOX_TOP_LEFT)
      put(prompt.box.x + prompt.box.w, prompt.box.y + prompt.box.h, BOX_BOTTOM_RIGHT)
    }
    for (const { x, y } of prompt.include) put(x, y, INCLUDE)
    for (const { x, y } of prompt.exclude ?? []) put(x, y, EXCLUDE)
    if (prompt.mends !== undefined) mended.set(prompt.mends, row * LOGIT_SIDE * LOGIT_SIDE)
  }
  const count = prompts.length
  const { masks, iou_predictions: ious } = await decoder.run({
    ...embedded,
    point_coords: new OrtTensor('float32', coordinates, [count, points, 2]),
    point_labels: new OrtTensor('float32', labels, [count, points]),
    mask_input: new OrtTensor('float32', mended, [count, 1, LOGIT_SIDE, LOGIT_SIDE]),
    has_mask_input: new OrtTensor('float32', [first.mends === undefined ? 0 : 1], [1]),
  })
  if (!(masks?.data instanceof Float32Array) || !(ious?.data instanceof Float32Array)) throw new TypeError('the click-select decoder gave no floats')
  const answersEach = masks.data.length / (count * LOGIT_SIDE * LOGIT_SIDE)
  const logits = masks.data
  const guesses = ious.data
  return prompts.map((_, row) =>
    Array.from({ length: answersEach }, (_unused, which) => {
      const at = row * answersEach + which
      const guess = guesses[at] ?? 0
      return { logits: logits.slice(at * LOGIT_SIDE * LOGIT_SIDE, (at + 1) * LOGIT_SIDE * LOGIT_SIDE), predictedIou: Math.min(1, Math.max(0, guess)) }
    }),
  )
}

/** Logits over the square to coverage of the picture's size; soft where the network is unsure. */
function coverageOfLogits(logits: Float32Array, width: number, height: number): Coverage {
  const { values } = resizeLinear({ width: LOGIT_SIDE, height: LOGIT_SIDE, channels: 1, values: logits }, width, height)
  const pixels = new Uint8Array(width * height)
  for (let at = 0; at < pixels.length; at++) pixels[at] = Math.round(255 / (1 + Math.exp(-values[at]!)))
  return { width, height, pixels }
}
