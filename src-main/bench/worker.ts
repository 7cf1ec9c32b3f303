import { readFileSync } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { presetNameSchema } from '../contract/speed.ts'
import { openFill, type Fill } from '../engine/assist/fill.ts'
import { ByteCache } from '../engine/byte-cache.ts'
import { failureOf } from '../engine/failures.ts'
import { generate, generateStrip } from '../engine/generate.ts'
import type { Workshop } from '../engine/job.ts'
import { loadModel } from '../engine/load-model.ts'
import type { LarGenModel } from '../engine/model.ts'
import { ExpectedSeconds } from '../engine/progress.ts'
import { quantiseModel } from '../engine/quantise/make.ts'
import { elementCount, tensor, type Tensor } from '../engine/runtime/tensor.ts'
import { stripsOf } from '../engine/strip.ts'
import { eightBitBytes, eightBitFiles } from '../engine/weights/eight-bit.ts'
import { recognise } from '../engine/weights/recognise.ts'
import { openSafetensors } from '../engine/weights/safetensors.ts'
import { importModel, readManifest, type ReadManifest } from '../models/index.ts'
import { benchJob } from './pictures.ts'

/*
 * The engine in a process of its own, so that its memory is its own and a cancel can end it at once. One request a line, one answer a line that starts with `@`.
 */

const settings = {
  preset: presetNameSchema,
  steps: z.int().positive(),
  guidance: z.number(),
  size: z.int().positive(),
  subjects: z.int().nonnegative(),
  seed: z.int().nonnegative(),
  betas: z.array(z.number()).min(1),
}
const requestSchema = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('open'), folder: z.string(), library: z.string().nullable(), fill: z.string(), app: z.string() }),
  /** Makes 8-bit weights in a library; a model without a manifest is taken into it by reference first. */
  z.strictObject({ do: z.literal('round'), folder: z.string(), library: z.string(), fill: z.string(), app: z.string() }),
  /** One job a beta, each with nothing kept from before. */
  z.strictObject({ do: z.literal('singles'), ...settings }),
  /** All betas together, with nothing kept from before. */
  z.strictObject({ do: z.literal('strip'), ...settings }),
  /** The betas one after the other, as a person retries; what the first left is kept. */
  z.strictObject({ do: z.literal('retries'), ...settings }),
  /** One run of the main U-Net by text alone, batch of one. */
  z.strictObject({ do: z.literal('forward'), side: z.int().positive() }),
  /** Takes a file into a library by reference. */
  z.strictObject({ do: z.literal('import'), file: z.string(), library: z.string() }),
])
type Request = z.output<typeof requestSchema>
type JobRequest = Extract<Request, { preset: unknown }>

const CACHE_BYTES = 512 * 2 ** 20

interface Opened {
  readonly model: LarGenModel
  readonly workshop: () => Workshop
}
let opened: Opened | null = null

async function answer(request: Request): Promise<object> {
  if (request.do === 'open') {
    const model = await loadModel(request.folder, { eightBits: request.library })
    const fill = timed(openFill(request.fill))
    opened = {
      model,
      workshop: () => ({
        model: async () => model,
        fill,
        cache: new ByteCache(CACHE_BYTES),
        expected: new ExpectedSeconds(),
        provider: 'cpu',
        app: request.app,
      }),
    }
    const { nativeSize } = model.facts
    return { nativeSize, weightBytes: await weightBytesIn(request.folder) }
  }
  if (request.do === 'round') return { folder: await round(request) }
  if (request.do === 'import') return await importing(request.file, request.library)
  if (opened === null) throw new RangeError('no model is open')
  if (request.do === 'forward') return { seconds: [await forward(opened.model, request.side)] }
  const before = spentIn(opened.model)
  const seconds = await work(opened, request)
  return { seconds, networks: spentIn(opened.model) - before, peakBytes: peakBytes() }
}

/** The filling network keeps no clock of its own; what it does besides its run is to turn bytes round. */
let filling = 0
function timed(fill: Fill): Fill {
  return async (...given) => {
    const start = performance.now()
    const filled = await fill(...given)
    filling += (performance.now() - start) / 1000
    return filled
  }
}

async function work({ model, workshop }: Opened, request: JobRequest): Promise<number[]> {
  const jobs = request.betas.map((beta) => benchJob({ id: model.facts.id, sha256: '0'.repeat(64) }, { ...request, beta }))
  const [first] = jobs
  if (first === undefined) return []
  if (request.do === 'strip') {
    const shared = workshop()
    const start = performance.now()
    const variants = request.betas.map((beta) => ({ seed: request.seed, beta }))
    for (const recipes of stripsOf(first.recipe, variants)) {
      for await (const _ of generateStrip(
        recipes.map((recipe) => ({ ...first, recipe })),
        shared,
      ));
    }
    return [(performance.now() - start) / 1000]
  }
  const kept = workshop()
  const seconds: number[] = []
  for (const job of jobs) {
    const start = performance.now()
    await generate(job, request.do === 'retries' ? kept : workshop())
    seconds.push((performance.now() - start) / 1000)
  }
  return seconds
}

/** @returns the folder of the model with its manifest */
async function round({ folder, library, fill, app }: Extract<Request, { do: 'round' }>): Promise<string> {
  const found = (await readManifest(folder).catch(() => null)) ?? (await taken(folder, library))
  const files = eightBitFiles(library, found.manifest)
  if ((await eightBitBytes(files)) !== null) return found.folder
  const named = { id: found.manifest.id, sha256: found.sha256 }
  // One job is enough: time does not depend on what the scales are.
  const { recipe, ...pictures } = benchJob(named, { preset: 'exact', steps: 1, guidance: 1, size: found.manifest.nativeSize, beta: 0.5, subjects: 1, seed: 7 })
  const workshop = { fill: openFill(fill), cache: new ByteCache(CACHE_BYTES), expected: new ExpectedSeconds(), provider: 'cpu', app }
  await quantiseModel({ files, model: found.folder, named, jobs: [{ ...pictures, recipe }], workshop })
  return found.folder
}

async function taken(folder: string, library: string): Promise<ReadManifest> {
  const place = join(library, basename(folder))
  const before = await readManifest(place).catch(() => null)
  if (before !== null) return before
  await importModel(folder, { root: library, recognise, copy: false, id: basename(folder), into: null, onBytes: () => undefined })
  return await readManifest(place)
}

/** What is not hashing is what comes before the first bytes and after the last. */
async function importing(file: string, library: string): Promise<object> {
  let first = 0
  let last = 0
  const onBytes = (): void => {
    last = performance.now()
    if (first === 0) first = last
  }
  const start = performance.now()
  await importModel(file, { root: library, recognise, copy: false, id: null, into: null, onBytes })
  const seconds = (performance.now() - start) / 1000
  const { size: bytes } = await stat(file)
  return { hashing: (last - first) / 1000, seconds, bytes, written: await bytesBelow(library) }
}

/** Bytes of the files below a folder; what links lead to is not counted. */
async function bytesBelow(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    const found = await lstat(join(folder, name))
    if (found.isFile()) bytes += found.size
  }
  return bytes
}

/** All tensors of a model's files, as the cpu computes with them: 32-bit floats. */
async function weightBytesIn(folder: string): Promise<number> {
  let bytes = 0
  for (const name of await readdir(folder, { recursive: true })) {
    if (!name.endsWith('.safetensors')) continue
    const source = await openSafetensors(join(folder, name))
    for (const tensorName of source.names()) bytes += 4 * elementCount(source.find(tensorName)?.shape ?? [])
  }
  return bytes
}

async function forward(model: LarGenModel, side: number): Promise<number> {
  const { latentChannels, contextLength } = model.facts
  const { context } = await emptyText(model)
  const zeros = (channels: number): Tensor => tensor(new Float32Array(channels * side * side), [1, channels, side, side])
  const noise = tensor(
    Float32Array.from({ length: latentChannels * side * side }, (_, at) => Math.sin(at * 12.9898) * 1.4),
    [1, latentChannels, side, side],
  )
  if (context.shape[1] !== contextLength) throw new RangeError('the empty text has an unusual length')
  const start = performance.now()
  await model.predict({ latent: noise, mask: zeros(1), maskedLatent: zeros(latentChannels), timestep: 500, text: context })
  return (performance.now() - start) / 1000
}

let text: Promise<{ context: Tensor }> | null = null
function emptyText(model: LarGenModel): Promise<{ context: Tensor }> {
  return (text ??= model.encodeText(['']))
}

function spentIn(model: LarGenModel): number {
  return filling + Object.values(model.networkSeconds()).reduce((sum, value) => sum + value, 0)
}

/** The most memory this process ever had, as the system counted it. */
function peakBytes(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
  return Number(kilobytes) * 1024
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const reply = await answer(requestSchema.parse(JSON.parse(line)))
    process.stdout.write(`@${JSON.stringify(reply)}\n`)
  } catch (error) {
    process.stdout.write(`@${JSON.stringify({ error: failureOf(error).message })}\n`)
  }
}
