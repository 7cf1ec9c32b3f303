import { Option, type Command } from 'commander'
import { UserError } from '../contract/errors.ts'
import { MAX_PROMPT_CHARACTERS } from '../contract/basics.ts'
import { providerWishSchema, type ProviderWish } from '../contract/provider.ts'
import { modeSchema, recipeSchema, samplerNameSchema, type Mode, type Placement, type Recipe, type SamplerName } from '../contract/recipe.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import { EXACT_SPEED, presetNameSchema, presetSettings, presetSpeed, speedSchema, type PresetName, type Speed } from '../contract/speed.ts'
import { hasFewStepsLora } from '../models/index.ts'
import { readFileOrExplain } from '../pictures/files.ts'
import { isPng } from '../pictures/png-chunks.ts'
import { readRecipes } from '../pictures/recipe-chunk.ts'
import { collect, interval, numberIn, placement, wholeNumberIn } from './arguments.ts'

/** Options of `generate` and `strip` as commander gives them. */
export interface RecipeOptions {
  readonly scene: string
  readonly mask: string
  readonly subject: readonly string[]
  readonly subjectMask: readonly string[]
  readonly mode?: Mode
  readonly prompt?: string
  readonly negative?: string
  readonly beta?: number
  readonly guideStrength?: number
  readonly detailTransfer?: number
  readonly place?: Placement
  readonly flip?: 'x' | 'y' | 'xy'
  readonly steps?: number
  readonly guidance?: number
  readonly rescale?: number
  readonly seed?: number
  readonly sampler?: SamplerName
  readonly size?: number
  readonly feather?: number
  readonly padding?: number
  readonly refine: boolean
  readonly preset?: PresetName
  readonly guidanceInterval?: [number, number]
  readonly reuse?: number
  readonly refineEvery?: number
  readonly weights?: Speed['weights']
  readonly shareUnconditional?: boolean
  readonly model?: string
  readonly models: readonly string[]
  readonly provider: ProviderWish
  readonly recipe?: string
  readonly json?: boolean
}

export function addRecipeOptions(command: Command): Command {
  return command
    .requiredOption('--scene <file>', 'the picture to edit')
    .requiredOption('--mask <file>', 'white (or opaque) = repaint; the size of the scene')
    .option('--subject <file>', 'a picture of the subject; give it again for more pictures of the same thing', collect, [])
    .option('--subject-mask <file>', 'the cut-out of the subject before it, white = subject; once per subject, in the same order', collect, [])
    .addOption(new Option('--mode <mode>', 'insert, text, subject or fill; by default what was given decides').choices(modeSchema.options))
    .option('--prompt <text>', 'what shall be there, for the region alone', promptText)
    .option('--negative <text>', 'what shall not be there', promptText)
    .option('--beta <number>', 'image strength: 0 text only ... 1 identity first', numberIn(0, 1))
    .option('--guide-strength <number>', 'how firmly the placed subject holds: 0 ... 1', numberIn(0, 1))
    .option('--detail-transfer <number>', "share of the subject's own detail given back: 0 ... 1", numberIn(0, 1))
    .option('--place <x,y,w,h,degrees>', 'where the cut-out stands: top-left corner and size before it is turned', placement)
    .addOption(new Option('--flip <axes>', 'mirror the placed cut-out').choices(['x', 'y', 'xy']))
    .option('--steps <number>', 'denoising steps', wholeNumberIn(1, 200))
    .option('--guidance <number>', 'classifier-free guidance', numberIn(0, 30))
    .option('--rescale <number>', 'guidance rescale: 0 ... 1', numberIn(0, 1))
    .option('--seed <number>', 'seed of the noise', wholeNumberIn(0, 0xffffffff))
    .addOption(new Option('--sampler <name>', 'solver').choices(samplerNameSchema.options))
    .option('--size <pixels>', "side at which the model works, a multiple of 64; the model's own by default", wholeNumberIn(64, 2048))
    .option('--feather <pixels>', "softening of the mask's border, inwards", numberIn(0, 256))
    .option('--padding <factor>', "context box: the mask's box times this", numberIn(1, 4))
    .option('--no-refine', 'leave RefineNet out')
    .addOption(new Option('--preset <name>', 'levers for speed: exact by default; fast also runs fewer steps').choices(presetNameSchema.options))
    .option('--guidance-interval <from,to>', 'part of the schedule in which guidance is applied, 0,1 for all of it', interval)
    .option('--reuse <number>', 'deep features are computed each so many steps', wholeNumberIn(1, 20))
    .option('--refine-every <number>', 'RefineNet reads the subject each so many steps', wholeNumberIn(1, 20))
    .addOption(new Option('--weights <type>', '8-bit weights, where the model has scales for them').choices(speedSchema.shape.weights.options))
    .option('--share-unconditional', 'in a strip the unconditional branch of one beta serves the others')
    .option('--model <id or folder>', 'model; mini by default')
    .option('--models <folder>', 'a further folder that holds model folders', collect, [])
    .addOption(new Option('--provider <name>', 'execution provider').choices(providerWishSchema.options).default('auto'))
    .option('--recipe <file>', 'take settings from a recipe (JSON, or a PNG that carries one); other options go before it')
    .option('--json', 'print one JSON object last on stdout')
}

function promptText(text: string): string {
  if (text.length > MAX_PROMPT_CHARACTERS)
    throw new UserError('bad-arguments', `the text is ${text.length} characters long, expected at most ${MAX_PROMPT_CHARACTERS}`)
  return text
}

type Settings = Omit<Recipe, 'scene' | 'mask' | 'subjects' | 'model'>

/** Everything of a recipe but its pictures and its model: the options, then the recipe file, then the model's defaults. */
export function settingsOf(options: RecipeOptions, base: Recipe | null, manifest: ModelManifest): Settings {
  const { defaults, nativeSize } = manifest
  const prompt = options.prompt ?? base?.prompt ?? ''
  const hasSubject = options.subject.length > 0
  const mode = options.mode ?? (base !== null && !hasSubject && options.prompt === undefined ? base.mode : modeFor(hasSubject, prompt !== ''))
  const size = options.size ?? base?.size ?? nativeSize
  if (size % 64 !== 0) throw new UserError('bad-arguments', `--size ${size}: expected a multiple of 64`)
  const preset =
    options.preset === undefined
      ? null
      : presetSettings(options.preset, {
          steps: base?.steps ?? defaults.steps,
          guidance: base?.guidance ?? defaults.guidance,
          fewSteps: hasFewStepsLora(manifest),
        })
  const steps = options.steps ?? preset?.steps ?? base?.steps ?? defaults.steps
  return {
    format: 1,
    mode,
    prompt,
    negative: options.negative ?? base?.negative ?? '',
    beta: options.beta ?? base?.beta ?? (!hasSubject ? 0 : prompt === '' ? defaults.betaSubjectOnly : defaults.betaWithText),
    placement: flipped(options.place ?? base?.placement ?? null, options.flip),
    guideStrength: options.guideStrength ?? base?.guideStrength ?? defaults.guideStrength,
    detailTransfer: options.detailTransfer ?? base?.detailTransfer ?? defaults.detailTransfer,
    contextBox: base?.contextBox ?? null,
    contextPadding: options.padding ?? base?.contextPadding ?? 1.3,
    size,
    featherPx: options.feather ?? base?.featherPx ?? 4,
    sampler: options.sampler ?? preset?.sampler ?? base?.sampler ?? defaults.sampler,
    steps,
    guidance: options.guidance ?? preset?.guidance ?? base?.guidance ?? defaults.guidance,
    rescale: options.rescale ?? base?.rescale ?? defaults.rescale,
    seed: options.seed ?? base?.seed ?? 0,
    refine: options.refine && (base?.refine ?? true),
    speed: speedOf(options, options.preset === undefined ? (base?.speed ?? EXACT_SPEED) : presetSpeed(options.preset, steps)),
    unconditionalBeta: null,
  }
}

/** Levers named one by one go before those of the preset. */
function speedOf(options: RecipeOptions, base: Speed): Speed {
  return {
    guidanceInterval: options.guidanceInterval ?? base.guidanceInterval,
    reuse: options.reuse ?? base.reuse,
    refineEvery: options.refineEvery ?? base.refineEvery,
    weights: options.weights ?? base.weights,
    sharedUnconditional: options.shareUnconditional ?? base.sharedUnconditional,
  }
}

function modeFor(hasSubject: boolean, hasPrompt: boolean): Mode {
  if (hasSubject) return hasPrompt ? 'insert' : 'subject'
  return hasPrompt ? 'text' : 'fill'
}

function flipped(place: Placement | null, axes: RecipeOptions['flip']): Placement | null {
  if (axes === undefined) return place
  if (place === null) throw new UserError('bad-arguments', '--flip: expected --place as well, there is nothing placed to mirror')
  return { ...place, flipX: axes.includes('x'), flipY: axes.includes('y') }
}

/** A recipe out of a JSON file, or the newest one a PNG carries. */
export async function readRecipeFile(path: string): Promise<Recipe> {
  const bytes = await readFileOrExplain(path)
  if (isPng(bytes)) {
    const last = readRecipes(bytes, path)?.turns.at(-1)
    if (last === undefined) throw new UserError('no-recipe', `${path}: the PNG carries no recipe`)
    return last.recipe
  }
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    throw new UserError('bad-recipe', `${path}: expected a recipe as JSON, or a PNG that carries one`)
  }
  // What `--json` prints holds the recipe in a field.
  const inner = typeof json === 'object' && json !== null && 'recipe' in json ? json.recipe : json
  const parsed = recipeSchema.safeParse(inner)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new UserError('bad-recipe', `${path}: the recipe does not fit: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unknown reason'}`)
}
