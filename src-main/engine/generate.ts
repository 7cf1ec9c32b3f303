import type { Box } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'
import type { Preview } from '../contract/engine-protocol.ts'
import type { Recipe, RunFacts } from '../contract/recipe.ts'
import { countChangedOutside, layPatch, patchAlpha, patchPixels } from './blend.ts'
import { compareWithGuide, transferDetail } from './detail-transfer.ts'
import { countMarked } from './image/masks.ts'
import { fromPlanes } from './image/planes.ts'
import { bytesOf, type Coverage, type Rgb, type Samples } from './image/raster.ts'
import { resampleWindow } from './image/resize.ts'
import { checkpoint, type JobHooks, type JobInputs, type Workshop } from './job.ts'
import type { LarGenModel } from './model.ts'
import { clipped, fillOfPatch, fillSurroundings, locate, prepareConditions, prepareGuide, windowOfPatch, type Guide, type Situation } from './prepare.ts'
import { StageClock } from './progress.ts'
import { denoiseStrip, plannedSteps, type SamplingInputs } from './sampling.ts'
import type { Tensor } from './runtime/tensor.ts'
import { scoreResult } from './scores.ts'
import { zoomIn, type Zoom } from './zoom-in.ts'

/** A result: RGBA pixels (not premultiplied) that belong at `box` of the scene. */
export interface Generated {
  readonly box: Box
  readonly pixels: Uint8Array
  readonly facts: RunFacts
}

/**
 * LAR-Gen, section 4 of the paper, for one recipe: zoom in, locate, assign, refine, sample, blend. A function of the inputs and the model alone; caches in the workshop
 * change its speed, never its pixels.
 * @throws UserError for inputs that cannot work, Cancelled between two steps
 */
export async function generate(given: JobInputs, workshop: Workshop, hooks: JobHooks = {}): Promise<Generated> {
  for await (const result of generateStrip([given], workshop, () => hooks)) return result
  throw new RangeError('a job without a result')
}

/**
 * The candidates of a strip, which differ in beta alone, in their order. They are sampled in lock-step: what one step of RefineNet tells serves them all, and nothing of
 * it need be kept. Pixels are those of the recipes run one by one.
 */
export async function* generateStrip(
  strip: readonly JobInputs[],
  workshop: Workshop,
  hooksOf: (candidate: number) => JobHooks = () => ({}),
): AsyncGenerator<Generated> {
  const [first] = strip
  if (first?.recipe.mode === 'fill') {
    for (const [candidate, given] of strip.entries()) yield await fillHole(given, workshop, hooksOf(candidate))
    return
  }
  workshop.cache.beginJob()
  const runs: Run[] = []
  for (const [candidate, given] of withLenders(strip).entries()) {
    runs.push(
      await prepare(given, workshop, candidate < strip.length ? hooksOf(candidate) : { ...hooksOf(0), progress: () => undefined, preview: () => undefined }),
    )
  }
  const latents = await sampleTogether(runs)
  for (const [candidate, run] of runs.slice(0, strip.length).entries()) yield await finish(run, latents[candidate]!)
}

/** A recipe that took unconditional deep features of another candidate needs that one beside it, last, whether its strip asks for it or not. */
function withLenders(strip: readonly JobInputs[]): JobInputs[] {
  const all = [...strip]
  for (const { recipe, ...pictures } of strip) {
    const { unconditionalBeta: beta } = recipe
    if (
      beta === null ||
      beta === recipe.beta ||
      recipe.guidance === 1 ||
      all.some((other) => other.recipe.beta === beta && other.recipe.unconditionalBeta === null)
    )
      continue
    all.push({ ...pictures, recipe: { ...recipe, beta, unconditionalBeta: null } })
  }
  return all
}

/** A candidate between its stages. */
interface Run {
  readonly situation: Situation
  readonly clock: StageClock
  readonly hooks: JobHooks
  readonly model: LarGenModel
  readonly given: SamplingInputs
  readonly pooledText: Float32Array | null
  readonly alpha: Coverage
  readonly notices: string[]
}

/** Zoom in, locate, assign. */
async function prepare(given: JobInputs, workshop: Workshop, hooks: JobHooks): Promise<Run> {
  const inputs = whatModeReads(given)
  const { recipe, mask, subjects } = inputs
  const { situation, clock } = opened(inputs, workshop, hooks)
  const { zoom } = situation
  const notices = [...zoom.notices]
  const model = await workshop.model()
  checkModel(inputs, model)
  await checkpoint(hooks)
  // Locate: what is known of the scene, where the hole is, and the guide that shows the subject in it.
  const { located, guide } = await clock.stage('locate', 1, async () => {
    const located = await locate(model, situation)
    await checkpoint(hooks)
    const wantsGuide = subjects.length > 0 && (model.facts.guideChannels || recipe.guideStrength > 0)
    return { located, guide: wantsGuide ? await prepareGuide(model, situation, located) : null }
  })
  await checkpoint(hooks)
  // Assign: the text's context and the subject's image tokens, each with its null for the unconditional branch.
  const { conditional, unconditional, subject, pooledText, cut } = await clock.stage('assign', 1, () => prepareConditions(model, situation))
  await checkpoint(hooks)
  if (cut) notices.push(`The text is longer than the model reads (${model.facts.promptTokens} tokens); its end was left out.`)
  if (guide !== null) notices.push(...guide.notices)
  if (recipe.speed.weights === '8bit' && model.facts.fullWeightsNotice !== undefined) notices.push(model.facts.fullWeightsNotice)
  const alpha = patchAlpha(mask, zoom.patch, recipe.featherPx)
  return { situation, clock, hooks, model, given: { located, conditional, unconditional, subject, guide }, pooledText, alpha, notices }
}

function opened(inputs: JobInputs, workshop: Workshop, hooks: JobHooks): { situation: Situation; clock: StageClock } {
  const { recipe, mask } = inputs
  checkInputs(inputs)
  const situation: Situation = { inputs, zoom: zoomIn(mask, recipe), rectangle: recipe.mode === 'insert', workshop }
  const clock = new StageClock(workshop.expected, `${recipe.model.sha256} ${recipe.size}`, STAGES[recipe.mode], (report) => hooks.progress?.(report))
  return { situation, clock }
}

/** Refine and sample: RefineNet's features join the U-Net's self-attention at each step. Each candidate's clock tells of the whole strip's steps and counts its share of them. */
async function sampleTogether(runs: readonly Run[]): Promise<Tensor[]> {
  const [lead] = runs
  if (lead === undefined) return []
  const { steps } = plannedSteps(lead.model, lead.situation, lead.given.guide !== null)
  const told: ((step: number) => void)[] = []
  const jobs = runs.map(({ situation, given, hooks, alpha }, candidate) => ({
    situation,
    given,
    hooks: {
      onStep: (step: number) => told[candidate]?.(step),
      checkpoint: () => checkpoint(hooks),
      onPreview:
        hooks.preview === undefined ? undefined : (picture: Samples) => hooks.preview?.(situation.zoom.patch, previewOf(picture, alpha, situation.zoom)),
    },
  }))
  let work: Promise<Tensor[]> | null = null
  const stages = runs.map(({ clock }, candidate) =>
    clock.stage(
      'sample',
      steps,
      async (onStep) => {
        told[candidate] = onStep
        work ??= denoiseStrip(lead.model, jobs)
        return (await work)[candidate]!
      },
      runs.length,
    ),
  )
  return await Promise.all(stages)
}

/** Decode, blend, score. */
async function finish({ situation, clock, hooks, model, given, pooledText, alpha, notices }: Run, latent: Tensor): Promise<Generated> {
  const { inputs, zoom } = situation
  const { recipe, scene, mask, subjects } = inputs
  const decoded = await clock.stage('decode', 1, async () => clipped(fromPlanes(await model.decodeLatent(latent))))
  await checkpoint(hooks)
  // Blend: at the picture's own resolution, inside the mask alone.
  const { pixels, after } = await clock.stage('blend', 1, async () => {
    const colour = colourOfPatch(decoded, given.guide, mask, zoom, recipe.detailTransfer)
    const pixels = patchPixels(colour, alpha)
    return { pixels, after: laid(scene, zoom.patch, pixels) }
  })
  const scores = await clock.stage('score', 1, () =>
    scoreResult(model, { picture: after, mask, region: zoom.region }, subjects, recipe.prompt === '' ? null : pooledText),
  )
  return { box: zoom.patch, pixels, facts: factsOf(situation, clock, after, scores, notices) }
}

const SAMPLED = ['locate', 'assign', 'sample', 'decode', 'blend', 'score']
const STAGES: Record<Recipe['mode'], readonly string[]> = { insert: SAMPLED, text: SAMPLED, subject: SAMPLED, fill: ['fill', 'blend'] }

/** Fill: no text, no subject, no sampling; the hole is closed from its surroundings at once. */
async function fillHole(given: JobInputs, workshop: Workshop, hooks: JobHooks): Promise<Generated> {
  const inputs = whatModeReads(given)
  const { situation, clock } = opened(inputs, workshop, hooks)
  const { zoom } = situation
  await checkpoint(hooks)
  const colour = await clock.stage('fill', 1, async () => fillOfPatch(await fillSurroundings(situation), situation))
  const { pixels, after } = await clock.stage('blend', 1, async () => {
    const pixels = patchPixels(colour, patchAlpha(inputs.mask, zoom.patch, inputs.recipe.featherPx))
    return { pixels, after: laid(inputs.scene, zoom.patch, pixels) }
  })
  return { box: zoom.patch, pixels, facts: factsOf(situation, clock, after, { identity: null, text: null }, [...zoom.notices]) }
}

/** Text alone looks at no subject, a subject alone at no text, a fill at neither. */
function whatModeReads(inputs: JobInputs): JobInputs {
  const { recipe } = inputs
  const noSubject = recipe.mode === 'text' || recipe.mode === 'fill'
  const noText = recipe.mode === 'subject' || recipe.mode === 'fill'
  return {
    ...inputs,
    recipe: { ...recipe, subjects: noSubject ? [] : recipe.subjects, prompt: noText ? '' : recipe.prompt, negative: noText ? '' : recipe.negative },
    subjects: noSubject ? [] : inputs.subjects,
  }
}

/** What a recipe must bring along, whatever the model. */
function checkInputs({ recipe, scene, mask, subjects }: JobInputs): void {
  if (mask.width !== scene.width || mask.height !== scene.height) {
    throw new UserError('bad-mask', `the mask is ${mask.width} x ${mask.height} pixels, expected the scene's ${scene.width} x ${scene.height}`)
  }
  for (const { picture, cutout } of subjects) {
    if (picture.width !== cutout.width || picture.height !== cutout.height) {
      throw new UserError('bad-cutout', `the cut-out is ${cutout.width} x ${cutout.height} pixels, expected its picture's ${picture.width} x ${picture.height}`)
    }
  }
  if (recipe.mode === 'fill') {
    if (countMarked(mask, 0) === mask.width * mask.height) {
      throw new UserError('full-mask', 'the mask covers the whole picture: filling needs surroundings, leave some of the picture unmarked')
    }
    return
  }
  if (recipe.mode === 'subject' && subjects.length === 0) throw new UserError('no-subject', 'mode "subject" needs a subject picture')
  if (recipe.mode === 'text' && recipe.prompt.trim() === '') throw new UserError('no-prompt', 'mode "text" needs a text')
  if (recipe.mode === 'insert' && subjects.length === 0 && recipe.prompt.trim() === '') {
    throw new UserError('nothing-asked', 'mode "insert" needs a subject, a text, or both; without them choose "fill"')
  }
}

function checkModel({ subjects, recipe }: JobInputs, { facts }: LarGenModel): void {
  if (subjects.length > 0 && !facts.parts.subject)
    throw new UserError('model-cannot', `model "${facts.id}" takes no subject, it has no image encoder; use a text alone`)
  if (facts.condition === 'example') checkExampleAlone(facts.id, recipe, subjects.length)
  else if (!facts.parts.text) throw new UserError('model-cannot', `model "${facts.id}" has no text encoder`)
  const step = facts.vaeFactor * facts.latentMultiple
  if (recipe.size % step !== 0) throw new UserError('bad-size', `size ${recipe.size} does not fit model "${facts.id}": expected a multiple of ${step}`)
}

/** A model that paints by example is told nothing but the example. */
function checkExampleAlone(id: string, { prompt, negative }: Recipe, subjects: number): void {
  if (prompt.trim() !== '' || negative.trim() !== '')
    throw new UserError('model-cannot', `model "${id}" paints by example and reads no text: expected a subject alone (mode "subject"), got a text`)
  if (subjects === 0) throw new UserError('model-cannot', `model "${id}" paints by example: expected a subject picture, got none`)
}

/** Share of the region's shorter side over which a shadow ends towards the mask's edge: one that is cut off there would show the mask. */
const SHADOW_FADE = 0.2

/** Brings the model's square to the patch at the picture's own resolution, with the guide's detail where the two agree. */
function colourOfPatch(decoded: Samples, guide: Guide | null, mask: Coverage, zoom: Zoom, share: number): Rgb {
  const { patch, region } = zoom
  const toPatch = (samples: Samples): Samples => resampleWindow(samples, windowOfPatch(zoom, zoom.size), patch.w, patch.h)
  const plain = toPatch(decoded)
  if (guide === null || share === 0) return { width: patch.w, height: patch.h, pixels: bytesOf(plain) }
  const { light, shadow, steady } = compareWithGuide(decoded, guide.throughVae, guide.view, guide.coverage)
  const fade = patchAlpha(mask, patch, SHADOW_FADE * Math.min(region.w, region.h))
  const fineShadow = toPatch(shadow)
  const fine = {
    light: toPatch(light),
    shadow: { ...fineShadow, values: fineShadow.values.map((value, at) => (value * fade.pixels[at]!) / 255) },
    steady: toPatch(steady),
  }
  const detailed = transferDetail(plain, guide.patch, guide.patchCoverage, fine, share)
  return { width: patch.w, height: patch.h, pixels: bytesOf(detailed) }
}

function laid(scene: Rgb, box: Box, patch: Uint8Array): Rgb {
  const pixels = Uint8Array.from(scene.pixels)
  layPatch({ width: scene.width, channels: 3, pixels }, { pixels: patch, box })
  return { ...scene, pixels }
}

function factsOf({ inputs, zoom, workshop }: Situation, clock: StageClock, after: Rgb, scores: RunFacts['scores'], notices: string[]): RunFacts {
  return {
    provider: workshop.provider,
    app: workshop.app,
    seconds: clock.totals(),
    scores,
    changedOutsideMask: countChangedOutside(inputs.scene.pixels, after.pixels, 3, inputs.mask),
    contextBox: zoom.context,
    notices,
  }
}

/** The patch's part of a decoded estimate, at the model's resolution, with the patch's alpha. */
function previewOf(picture: Samples, alpha: Coverage, zoom: Zoom): Preview {
  const window = windowOfPatch(zoom, zoom.size)
  const width = Math.max(1, Math.min(alpha.width, Math.round(window.width)))
  const height = Math.max(1, Math.min(alpha.height, Math.round(window.height)))
  const colour = bytesOf(resampleWindow(picture, window, width, height))
  const rgba = new Uint8Array(width * height * 4)
  for (let at = 0; at < width * height; at++) {
    const column = Math.floor((((at % width) + 0.5) * alpha.width) / width)
    const row = Math.floor(((Math.floor(at / width) + 0.5) * alpha.height) / height)
    rgba.set(colour.subarray(at * 3, at * 3 + 3), at * 4)
    rgba[at * 4 + 3] = alpha.pixels[row * alpha.width + column]!
  }
  return { width, height, rgba }
}
