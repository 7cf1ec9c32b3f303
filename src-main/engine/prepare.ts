import type { Box } from '../contract/basics.ts'
import type { Placement } from '../contract/recipe.ts'
import { assignSubject, type SubjectTokens } from './assign.ts'
import { bytesInside } from './byte-cache.ts'
import type { Condition } from './guidance.ts'
import { chromaGate, coverageOfDrawn, drawCutout, fittedPlacement, laidOn, movedTo, placedCutout, shareInside } from './guide.ts'
import { boundsOf, boxMask, hardened } from './image/masks.ts'
import { fromPlanes, toPlanes } from './image/planes.ts'
import { byte, bytesOf, cropCoverage, cropRgb, samplesOfBytes, type Coverage, type Rgb, type Samples } from './image/raster.ts'
import { resampleWindow, resizeCoverage, resizeRgb, type Window } from './image/resize.ts'
import type { JobInputs, Workshop } from './job.ts'
import { maskToLatent } from './locate.ts'
import type { LarGenModel } from './model.ts'
import { concat, tensor, zeros, type Tensor } from './runtime/tensor.ts'
import { clipInput, cutSubject, refineInput } from './subject.ts'
import { viewOf, type View, type Zoom } from './zoom-in.ts'

/** A job's pictures and its place in them, and the names under which shared work is kept. */
export interface Situation {
  readonly inputs: JobInputs
  readonly zoom: Zoom
  /** Repaint the region's box instead of the drawn shape (subject with a text). */
  readonly rectangle: boolean
  readonly workshop: Workshop
}

/** What the main U-Net sees of the scene, and what the known region is held to. */
export interface Located {
  readonly view: View
  /** [1, 1, h, w], 1 = repaint */
  readonly mask: Tensor
  /** [1, L, h, w] VAE of the view with a mid-grey hole */
  readonly maskedLatent: Tensor
  /** [1, L, h, w] VAE of the view */
  readonly sceneLatent: Tensor
}

/** Locate: the view, its mask at latent size, the latents of the scene with and without the hole. */
export async function locate(model: LarGenModel, situation: Situation): Promise<Located> {
  return await shared(situation, `locate ${modelKey(situation)} ${sceneKey(situation)}`, async () => {
    const { inputs, zoom, rectangle } = situation
    const view = viewOf(inputs.scene, inputs.mask, zoom, rectangle)
    const pixels = toPlanes(view.scene)
    const hole = view.mask.pixels
    const count = zoom.size * zoom.size
    const masked = tensor(
      pixels.data.map((value, at) => (hole[at % count] === 255 ? 0 : value)),
      pixels.shape,
    )
    const ones = tensor(
      Float32Array.from(hole, (value) => value / 255),
      [1, 1, zoom.size, zoom.size],
    )
    return {
      view,
      mask: latentMask(ones, model),
      maskedLatent: await model.encodeImage(masked),
      sceneLatent: await model.encodeImage(pixels),
    }
  })
}

/** A mask thinner than a latent cell would vanish at latent size; then every cell it touches is repainted. */
function latentMask(ones: Tensor, model: LarGenModel): Tensor {
  const { vaeFactor, maskToLatent: mode } = model.facts
  const mask = maskToLatent(ones, vaeFactor, mode)
  if (mask.data.some((value) => value > 0)) return mask
  const [, , height = 0, width = 0] = mask.shape
  const touched = new Float32Array(width * height)
  ones.data.forEach((value, at) => {
    const side = width * vaeFactor
    if (value > 0) touched[Math.floor(Math.floor(at / side) / vaeFactor) * width + Math.floor((at % side) / vaeFactor)] = 1
  })
  return tensor(touched, mask.shape)
}

/** The text's context, or the null text's; `cut` when it was longer than the model reads. */
export async function textContext(
  model: LarGenModel,
  situation: Situation,
  text: string,
): Promise<{ context: Tensor; pooled: Tensor; vector: Tensor | undefined; cut: boolean }> {
  return await shared(situation, `text ${modelKey(situation)} ${text}`, async () => {
    const { context, pooled, vector, cut } = await model.encodeText([text])
    return { context, pooled, vector, cut: cut[0] === true }
  })
}

export interface PreparedSubject extends SubjectTokens {
  /** Per picture [1, L, h, w] its latent on white, for RefineNet; empty for a model without one. */
  readonly latents: readonly Tensor[]
}

/** Assign: image and detail tokens of all pictures of the subject, and their latents for Refine. */
export async function prepareSubject(model: LarGenModel, situation: Situation): Promise<PreparedSubject> {
  const { inputs, zoom } = situation
  return await shared(situation, `subject ${modelKey(situation)} ${subjectKey(situation)} ${zoom.size}`, async () => {
    const { vision, parts } = model.facts
    if (vision === null) throw new RangeError('a subject was given to a model without an image encoder')
    const cuts = inputs.subjects.map(cutSubject)
    const tokens = await assignSubject(
      model,
      concat(
        cuts.map((cut) => clipInput(cut.onWhite, vision)),
        0,
      ),
    )
    const latents: Tensor[] = []
    if (parts.refine) for (const cut of cuts) latents.push(await model.encodeImage(refineInput(cut, zoom.size)))
    return { ...tokens, latents }
  })
}

/** What both guidance branches are conditioned on. */
export interface Conditions {
  readonly conditional: Condition
  readonly unconditional: Condition
  /** What RefineNet reads of the subject; null without a subject, and for models that know the subject by the condition alone. */
  readonly subject: PreparedSubject | null
  /** For scores; null for models that take no text. */
  readonly pooledText: Float32Array | null
  /** Whether the text was longer than the model reads. */
  readonly cut: boolean
}

/** Assign, whole: text and image tokens for both branches, or the example alone for a model that paints by it. */
export async function prepareConditions(model: LarGenModel, situation: Situation): Promise<Conditions> {
  if (model.facts.condition === 'example') return { ...(await exampleConditions(model, situation)), subject: null, pooledText: null, cut: false }
  const { recipe, subjects } = situation.inputs
  const text = await textContext(model, situation, recipe.prompt)
  const negative = await textContext(model, situation, recipe.negative)
  const subject = subjects.length > 0 ? await prepareSubject(model, situation) : null
  return {
    conditional: { text: text.context, vector: text.vector, imageTokens: subject?.image },
    unconditional: { text: negative.context, vector: negative.vector, imageTokens: subject?.nullImage },
    subject,
    pooledText: text.pooled.data,
    cut: text.cut,
  }
}

/** Several pictures of one subject are several tokens; repeating what stands for none of them changes no softmax average. */
async function exampleConditions(model: LarGenModel, situation: Situation): Promise<Pick<Conditions, 'conditional' | 'unconditional'>> {
  const { subjects } = situation.inputs
  return await shared(situation, `example ${modelKey(situation)} ${subjectKey(situation)}`, async () => {
    const { vision } = model.facts
    if (vision === null) throw new RangeError('a model that paints by example needs an image encoder')
    const tokens: Tensor[] = []
    const nothings: Tensor[] = []
    for (const subject of subjects) {
      const { last } = await model.encodeVision(clipInput(cutSubject(subject).onWhite, vision))
      const made = await model.exampleTokens(last)
      tokens.push(made.tokens)
      nothings.push(made.nothing)
    }
    return { conditional: { text: concat(tokens, 1) }, unconditional: { text: concat(nothings, 1) } }
  })
}

/** The guide of a job, see the note in `guide.ts`. */
export interface Guide {
  /** [1, L, h, w] */
  readonly latent: Tensor
  /** D: the guide through the VAE and back, RGB 0 .. 255, the model's size. */
  readonly throughVae: Samples
  /** G itself, RGB 0 .. 255, the model's size. */
  readonly view: Samples
  /** A: where the subject lies in it, 0 .. 1, the model's size. */
  readonly coverage: Samples
  /** The guide itself over the patch, at the picture's own resolution, RGB 0 .. 255. */
  readonly patch: Samples
  readonly patchCoverage: Samples
  readonly notices: readonly string[]
}

/** Lays the subject into the filled scene and encodes that. @param beta decides with the text how much of its colour stays */
export async function prepareGuide(model: LarGenModel, situation: Situation, located: Located): Promise<Guide> {
  const { inputs, zoom } = situation
  const { recipe, mask, subjects } = inputs
  const [subject] = subjects
  if (subject === undefined) throw new RangeError('a guide needs a subject')
  const chroma = chromaGate(recipe.beta, recipe.prompt !== '')
  const key = `guide ${modelKey(situation)} ${sceneKey(situation)} ${subjectKey(situation)} ${JSON.stringify(recipe.placement)} ${chroma}`
  return await shared(situation, key, async () => {
    const fill = await fillSurroundings(situation)
    const cutout = placedCutout(subject)
    const marked = situation.rectangle ? boxMask(mask.width, mask.height, zoom.region) : hardened(mask)
    const placement = recipe.placement ?? automaticPlacement(cutout, situation, located)
    const drawn = drawCutout(cutout, placement, zoom.context, zoom.size, zoom.size)
    const small = laidOn(fillOfView(fill, located.view, zoom), drawn, located.view.mask, chroma)
    const latent = await model.encodeImage(toPlanes({ width: zoom.size, height: zoom.size, pixels: bytesOf(small) }))
    const fineDrawn = drawCutout(cutout, placement, zoom.patch, zoom.patch.w, zoom.patch.h)
    const fineMarked = cropCoverage(marked, zoom.patch)
    return {
      latent,
      throughVae: clipped(fromPlanes(await model.decodeLatent(latent))),
      view: small,
      coverage: coverageOfDrawn(drawn, located.view.mask),
      patch: laidOn(fillOfPatch(fill, situation), fineDrawn, fineMarked, chroma),
      patchCoverage: coverageOfDrawn(fineDrawn, fineMarked),
      notices: placementNotices(cutout, placement, situation),
    }
  })
}

/** Fitted on the model's own grid, as in training, into the drawn shape even where the whole rectangle is repainted; in picture pixels. */
function automaticPlacement(cutout: Samples, { inputs, zoom }: Situation, located: Located): Placement {
  const shape = viewOf(inputs.scene, inputs.mask, zoom, false).mask
  const region = boundsOf(located.view.mask) ?? { x: 0, y: 0, w: zoom.size, h: zoom.size }
  return movedTo(fittedPlacement(cutout, region, shape), zoom.context.w / zoom.size, zoom.context)
}

function placementNotices(cutout: Samples, placement: Placement, { inputs, zoom }: Situation): string[] {
  const inside = shareInside(cutout, placement, zoom.region, inputs.mask)
  return inside >= 0.9 ? [] : [`${Math.round((1 - inside) * 100)} % of the placed subject lies outside the mask and is cut off.`]
}

/** The picture around the hole, with the hole filled. */
export interface Filled {
  readonly picture: Rgb
  /** Where it lies in the scene; inside it. */
  readonly box: Box
}

/** The filling network looks at the hole and about as much again on each side; it makes worse guesses in the model's tighter context box. */
const FILL_SURROUNDINGS = 3
/** Longest side on which the filling network works; it thinks at 512, more would only be enlarged. */
const LONGEST_FILL = 2048

/** The hole filled from its surroundings, at the picture's own resolution up to a bound. */
export async function fillSurroundings(situation: Situation): Promise<Filled> {
  return await shared(situation, `fill ${sceneKey(situation)}`, async () => {
    const { inputs, zoom, rectangle, workshop } = situation
    const { scene, mask } = inputs
    const box = grownInside(zoom.context, zoom.patch, scene)
    const scale = Math.min(1, LONGEST_FILL / Math.max(box.w, box.h))
    const [width, height] = [Math.max(2, Math.round(box.w * scale)), Math.max(2, Math.round(box.h * scale))]
    const hole = hardened(mask, 0)
    const drawn = rectangle ? union(hole, boxMask(mask.width, mask.height, zoom.region)) : hole
    const small = hardened(resizeCoverage(cropCoverage(drawn, box), width, height), 0)
    return { picture: await workshop.fill(resizeRgb(cropRgb(scene, box), width, height), small), box }
  })
}

/** The part of the picture that holds the context and, around the patch, `FILL_SURROUNDINGS` times its longer side. */
function grownInside(context: Box, patch: Box, { width, height }: Rgb): Box {
  const half = (Math.max(patch.w, patch.h) * FILL_SURROUNDINGS) / 2
  const left = Math.max(0, Math.floor(Math.min(context.x, patch.x + patch.w / 2 - half)))
  const top = Math.max(0, Math.floor(Math.min(context.y, patch.y + patch.h / 2 - half)))
  const right = Math.min(width, Math.ceil(Math.max(context.x + context.w, patch.x + patch.w / 2 + half)))
  const bottom = Math.min(height, Math.ceil(Math.max(context.y + context.h, patch.y + patch.h / 2 + half)))
  return { x: left, y: top, w: right - left, h: bottom - top }
}

/** A part of the filled surroundings, at the picture's resolution; mirrored where it reaches over the picture's border. */
function fillAt({ picture, box }: Filled, part: Box): Rgb {
  if (picture.width === box.w) return cropRgb(picture, { ...part, x: part.x - box.x, y: part.y - box.y })
  const [across, down] = [picture.width / box.w, picture.height / box.h]
  const window = { x: (part.x - box.x) * across, y: (part.y - box.y) * down, width: part.w * across, height: part.h * down }
  return {
    width: part.w,
    height: part.h,
    pixels: bytesOf(resampleWindow(samplesOfBytes(picture.pixels, picture.width, picture.height, 3), window, part.w, part.h)),
  }
}

/** The filled patch, at the picture's resolution. */
export function fillOfPatch(filled: Filled, { zoom }: Situation): Rgb {
  return fillAt(filled, zoom.patch)
}

/** The filled context at the model's size, the scene itself outside the hole. */
function fillOfView(filled: Filled, view: View, { context, size }: Zoom): Rgb {
  const small = resizeRgb(fillAt(filled, context), size, size)
  return { ...small, pixels: small.pixels.map((value, at) => (view.mask.pixels[Math.floor(at / 3)] === 0 ? view.scene.pixels[at]! : value)) }
}

/** Where the patch lies in the context when that is `side` samples wide. */
export function windowOfPatch({ context, patch }: Zoom, side: number): Window {
  const scale = side / context.w
  return { x: (patch.x - context.x) * scale, y: (patch.y - context.y) * scale, width: patch.w * scale, height: patch.h * scale }
}

/** To 0 .. 255 without rounding. */
export function clipped(samples: Samples): Samples {
  return { ...samples, values: samples.values.map((value) => Math.min(255, Math.max(0, value))) }
}

/** No guide for a model that has room for one. */
export function emptyGuide(sceneLatent: Tensor): Tensor {
  return zeros(sceneLatent.shape)
}

function union(a: Coverage, b: Coverage): Coverage {
  return { ...a, pixels: a.pixels.map((value, at) => byte(Math.max(value, b.pixels[at]!))) }
}

export function modelKey({ inputs }: Situation): string {
  return inputs.recipe.model.sha256
}

export function subjectKey({ inputs }: Situation): string {
  return inputs.recipe.subjects.map(({ picture, cutout }) => `${picture.sha256}/${cutout?.sha256 ?? ''}`).join(',')
}

function sceneKey({ inputs, zoom, rectangle }: Situation): string {
  return `${inputs.recipe.scene.sha256} ${inputs.recipe.mask.sha256} ${JSON.stringify(zoom.context)} ${zoom.size} ${rectangle}`
}

async function shared<T>({ workshop }: Situation, key: string, make: () => Promise<T>): Promise<T> {
  return await workshop.cache.get(key, make, bytesInside)
}
