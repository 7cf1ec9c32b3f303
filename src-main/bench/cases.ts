import { access, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../contract/errors.ts'
import { FEWEST_STEPS_TO_SKIP, presetSpeed, type PresetName } from '../contract/speed.ts'
import type { LineProcess } from './line-process.ts'
import type { Measured } from './ratios.ts'

/** What a case works with; every process it opens is ended when the case is done or cancelled. */
export interface Tools {
  /** The engine with the model of `folder` open; with `8bit` its weights are rounded first, once. */
  engine(folder: string, weights?: '8bit' | 'full'): Promise<Engine>
  /** The Python side. */
  peers(): Promise<LineProcess>
  /** Runs a script of the Python side to its end. */
  script(name: string, args: readonly string[]): Promise<void>
  /** Folder of the bundled model. */
  readonly mini: string
  /** Folder of what `test/bench/weights/make.ts` wrote. */
  readonly full: string
  /** Cores that both sides may use. */
  readonly threads: number
  /** Steps of a whole job, on both sides. */
  readonly steps: number
  /** Fewer repetitions. */
  readonly quick: boolean
}

export interface Engine {
  readonly process: LineProcess
  /** All weights in its files, as 32-bit floats. */
  readonly weightBytes: number
  readonly nativeSize: number
}

export interface Outcome {
  readonly measured: Measured
  readonly notes: Readonly<Record<string, string | number>>
}

export interface Case {
  readonly name: string
  readonly says: string
  readonly needs: 'nothing' | 'full' | 'peers'
  /** A guess, on two cores; the time left is told by it until the machine is known. */
  readonly minutes: number
  run(tools: Tools): Promise<Outcome>
}

const timed = z.object({ seconds: z.array(z.number()).min(1) })
const jobs = timed.extend({ networks: z.number(), peakBytes: z.number() })

/** What a whole job of people's is: 512 pixels, 30 steps, guidance 7.5. */
export const WHOLE_STEPS = 30
const FULL_SIZE = 512
/** For what does not depend on the number of steps. */
const FEW_STEPS = 4
const GUIDANCE = 7.5
/** A type whose forward takes this much longer than that of 32-bit floats, as one that the processor only imitates, cannot win the job: it would take an hour or more to lose. */
const HOPELESS = 2
/** Latents of that trial: even a forward of 64 x 64 took minutes in such a type. */
const TRIAL_SIDE = 16
const FIVE = [0, 0.25, 0.5, 0.75, 1]

interface Job {
  readonly preset?: PresetName
  readonly steps: number
  readonly size: number
  readonly betas?: readonly number[]
  readonly subjects?: number
  readonly seed?: number
}

async function run(engine: Engine, kind: 'singles' | 'strip' | 'retries', job: Job): Promise<z.output<typeof jobs>> {
  const request = { do: kind, preset: 'exact', guidance: GUIDANCE, betas: [0.5], subjects: 1, seed: 7, ...job }
  return await engine.process.ask(request, jobs)
}

function weightsOf(preset: PresetName): '8bit' | 'full' {
  return presetSpeed(preset, WHOLE_STEPS).weights
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** One process for all repetitions, a first round that is not counted, then the two in turn. */
async function inTurn(rounds: number, first: () => Promise<number>, second: () => Promise<number>): Promise<[number[], number[]]> {
  const seconds: [number[], number[]] = [[], []]
  for (let round = 0; round <= rounds; round++) {
    const [a, b] = [await first(), await second()]
    if (round === 0) continue
    seconds[0].push(a)
    seconds[1].push(b)
  }
  return seconds
}

async function overhead({ engine, mini, quick }: Tools): Promise<Outcome> {
  const opened = await engine(mini)
  const job: number[] = []
  const networks: number[] = []
  for (let round = 0; round <= (quick ? 2 : 5); round++) {
    const done = await run(opened, 'singles', { steps: FEWEST_STEPS_TO_SKIP, size: opened.nativeSize })
    if (round === 0) continue
    job.push(sum(done.seconds))
    networks.push(done.networks)
  }
  return { measured: { job, networks }, notes: { steps: FEWEST_STEPS_TO_SKIP } }
}

function stripCase(of: 'mini' | 'full', preset: PresetName): Case {
  return {
    name: `${of} strip ${preset}`,
    says: `a strip of five betas against five jobs, preset ${preset}`,
    needs: of === 'mini' ? 'nothing' : 'full',
    minutes: of === 'mini' ? 1.5 : 20,
    run: async (tools) => {
      const opened = await tools.engine(of === 'mini' ? tools.mini : join(tools.full, 'largen-fp32'), weightsOf(preset))
      const steps = FEWEST_STEPS_TO_SKIP
      const job = { preset, steps, size: of === 'mini' ? opened.nativeSize : FULL_SIZE, betas: FIVE }
      const [strip, singles] = await inTurn(
        of === 'full' || tools.quick ? 1 : 3,
        async () => sum((await run(opened, 'strip', job)).seconds),
        async () => sum((await run(opened, 'singles', job)).seconds),
      )
      return { measured: { strip, singles }, notes: { steps } }
    },
  }
}

async function betaRetry({ engine, mini, quick }: Tools): Promise<Outcome> {
  const opened = await engine(mini)
  const first: number[] = []
  const retry: number[] = []
  for (let round = 0; round <= (quick ? 2 : 5); round++) {
    const { seconds } = await run(opened, 'retries', { steps: FEWEST_STEPS_TO_SKIP, size: opened.nativeSize, betas: [0.3, 0.7] })
    if (round === 0) continue
    first.push(seconds[0] ?? 0)
    retry.push(seconds[1] ?? 0)
  }
  return { measured: { first, retry }, notes: { steps: FEWEST_STEPS_TO_SKIP } }
}

/** How the bundled model's cost grows; the plot is made of these. */
async function growth({ engine, mini, quick }: Tools): Promise<Outcome> {
  const size = (await engine(mini)).nativeSize
  const measured: Record<string, number[]> = {}
  const presets: readonly PresetName[] = ['exact', 'balanced']
  const take = async (opened: Engine, name: string, kind: 'singles' | 'strip', job: Job): Promise<void> => {
    for (let round = 0; round < (quick ? 1 : 3); round++) (measured[name] ??= []).push(sum((await run(opened, kind, job)).seconds))
  }
  for (const preset of presets) {
    const opened = await engine(mini, weightsOf(preset))
    await run(opened, 'singles', { preset, steps: FEWEST_STEPS_TO_SKIP, size })
    for (const steps of [4, 12, 20, 30]) await take(opened, `${preset} steps ${steps}`, 'singles', { preset, steps, size })
    for (const side of [128, 256, 384, 512]) await take(opened, `${preset} size ${side}`, 'singles', { preset, steps: 12, size: side })
    for (const count of [1, 3, 5]) await take(opened, `${preset} betas ${count}`, 'strip', { preset, steps: 12, size, betas: FIVE.slice(0, count) })
    for (const subjects of [1, 2, 4]) await take(opened, `${preset} subjects ${subjects}`, 'singles', { preset, steps: 12, size, subjects })
  }
  return { measured, notes: { steps: 12, size } }
}

async function largenExact({ engine, full }: Tools): Promise<Outcome> {
  const opened = await engine(join(full, 'largen-fp32'))
  const done = await run(opened, 'singles', { steps: FEW_STEPS, size: FULL_SIZE })
  // The first job loaded every network; its memory is what counts, the second one's time.
  const again = await run(opened, 'singles', { steps: FEW_STEPS, size: FULL_SIZE })
  return {
    measured: { job: again.seconds, networks: [again.networks], jobWithLoading: done.seconds, peak: [again.peakBytes], weights: [opened.weightBytes] },
    notes: { steps: FEW_STEPS, size: FULL_SIZE },
  }
}

function wholeJob(name: 'sdiipa' | 'largen', preset: PresetName, minutes: number): Case {
  return {
    name: `full ${name} ${preset}`,
    says: `a whole job, ${FULL_SIZE} px, preset ${preset}: ${name === 'largen' ? 'LAR-Gen, three networks' : 'SD inpainting with IP-Adapter-Plus'}`,
    needs: 'full',
    minutes,
    run: async ({ engine, full, steps }) => {
      const opened = await engine(join(full, `${name}-fp32`), weightsOf(preset))
      // As many steps as make the preset use every network it has.
      const warm = await run(opened, 'singles', { preset, steps: preset === 'exact' ? 1 : FEWEST_STEPS_TO_SKIP, size: FULL_SIZE })
      const done = await run(opened, 'singles', { preset, steps, size: FULL_SIZE })
      return {
        measured: { job: done.seconds, networks: [done.networks], peak: [done.peakBytes] },
        notes: { steps, size: FULL_SIZE, firstJobSeconds: Math.round(sum(warm.seconds)) },
      }
    },
  }
}

async function unetExported({ engine, peers, script, full, quick, threads }: Tools): Promise<Outcome> {
  const file = join(full, 'exported', 'unet.onnx')
  if (!(await exists(file))) await script('export_unet.py', ['--model', join(full, 'sdiipa-fp32'), '--out', file])
  const theirs = await peers()
  await theirs.ask({ do: 'onnx', file, threads }, z.object({}))
  const opened = await engine(join(full, 'sdiipa-fp32'))
  const [ours, exported] = await inTurn(
    quick ? 2 : 5,
    async () => sum((await opened.process.ask({ do: 'forward', side: 64 }, timed)).seconds),
    async () => sum((await theirs.ask({ do: 'forward' }, timed)).seconds),
  )
  return { measured: { ours, exported }, notes: { batch: 1, side: 64 } }
}

async function unetDiffusers({ peers, full, quick }: Tools): Promise<Outcome> {
  const theirs = await peers()
  const measured: Record<string, number[]> = {}
  for (const dtype of ['fp32', 'bf16']) {
    await theirs.ask({ do: 'unet', model: join(full, 'sdiipa-fp32'), dtype, side: 64 }, z.object({}))
    await theirs.ask({ do: 'forward' }, timed)
    for (let round = 0; round < (quick ? 1 : 3); round++) (measured[dtype] ??= []).push(sum((await theirs.ask({ do: 'forward' }, timed)).seconds))
  }
  return { measured, notes: { batch: 1, side: 64 } }
}

/** Seconds of one small forward of the U-Net, after one that is not counted. */
async function forwardOf(theirs: LineProcess, full: string, dtype: 'fp32' | 'bf16'): Promise<number> {
  await theirs.ask({ do: 'unet', model: join(full, 'sdiipa-fp32'), dtype, side: TRIAL_SIDE }, z.object({}))
  await theirs.ask({ do: 'forward' }, timed)
  return sum((await theirs.ask({ do: 'forward' }, timed)).seconds)
}

function sdiipaDiffusers(dtype: 'fp32' | 'bf16', minutes: number): Case {
  return {
    name: `full sdiipa diffusers ${dtype}`,
    says: `diffusers' StableDiffusionInpaintPipeline with IP-Adapter-Plus in ${dtype}, ${FULL_SIZE} px`,
    needs: 'peers',
    minutes,
    run: async ({ peers, full, steps }) => {
      const theirs = await peers()
      if (dtype !== 'fp32') {
        const [fp32, other] = [await forwardOf(theirs, full, 'fp32'), await forwardOf(theirs, full, dtype)]
        if (other > HOPELESS * fp32)
          return { measured: { fp32Forward: [fp32], forward: [other] }, notes: { batch: 1, side: TRIAL_SIDE, job: 'not run, one forward says enough' } }
      }
      await theirs.ask({ do: 'pipeline', model: join(full, 'sdiipa-fp32'), dtype }, z.object({}))
      await theirs.ask({ do: 'job', steps: 1, guidance: GUIDANCE }, timed)
      const { seconds } = await theirs.ask({ do: 'job', steps, guidance: GUIDANCE }, timed)
      return { measured: { job: seconds }, notes: { steps, size: FULL_SIZE } }
    },
  }
}

async function importing({ engine, mini, full }: Tools): Promise<Outcome> {
  const file = join(full, 'checkpoint-fp32', 'v1-5-inpainting.safetensors')
  if (!(await exists(file))) throw new UserError('model-missing', `${file}: not found; write it with test/bench/weights/make.ts`)
  const library = await mkdtemp(join(tmpdir(), 'larkspur-bench-'))
  try {
    const { process } = await engine(mini)
    const answer = z.object({ seconds: z.number(), hashing: z.number(), bytes: z.number(), written: z.number() })
    const done = await process.ask({ do: 'import', file, library }, answer)
    return {
      measured: { import: [done.seconds], hashing: [done.hashing], beyondHashing: [Math.max(0, done.seconds - done.hashing)], writtenBytes: [done.written] },
      notes: { bytes: done.bytes },
    }
  } finally {
    await rm(library, { recursive: true, force: true })
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  )
}

/** Everything that is measured, short ones first. What is compared with each other stands together. */
export const cases: readonly Case[] = [
  { name: 'mini overhead', says: 'engine time against the sum of its network runs', needs: 'nothing', minutes: 0.5, run: overhead },
  { name: 'mini beta retry', says: 'a second job that differs in beta alone', needs: 'nothing', minutes: 0.5, run: betaRetry },
  stripCase('mini', 'exact'),
  stripCase('mini', 'balanced'),
  { name: 'mini growth', says: 'cost over steps, size, betas, subjects', needs: 'nothing', minutes: 4, run: growth },
  { name: 'full import', says: 'taking in a checkpoint of 4 GB by reference', needs: 'full', minutes: 1, run: importing },
  { name: 'full unet exported', says: 'one U-Net forward against ONNX Runtime on the graph PyTorch exports', needs: 'peers', minutes: 3, run: unetExported },
  { name: 'full unet diffusers', says: 'one U-Net forward of diffusers, fp32 and bf16', needs: 'peers', minutes: 2, run: unetDiffusers },
  { name: 'full largen exact', says: `LAR-Gen in the exact preset, ${FEW_STEPS} steps: overhead and memory`, needs: 'full', minutes: 4, run: largenExact },
  wholeJob('sdiipa', 'balanced', 3),
  sdiipaDiffusers('bf16', 5),
  wholeJob('largen', 'balanced', 4),
  sdiipaDiffusers('fp32', 8),
  stripCase('full', 'exact'),
  stripCase('full', 'balanced'),
]
