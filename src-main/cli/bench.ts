import { access, stat } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir, totalmem } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { WHOLE_STEPS } from '../bench/cases.ts'
import { growthPlot } from '../bench/plot.ts'
import { ratioNames, ratiosOf } from '../bench/ratios.ts'
import { BenchResults } from '../bench/results.ts'
import { plannedCases, runBench, type BenchProgress } from '../bench/run.ts'
import { UserError } from '../contract/errors.ts'
import { FEWEST_STEPS_TO_SKIP } from '../contract/speed.ts'
import { Cancelled } from '../engine/job.ts'
import { threadCount } from '../engine/runtime/threads.ts'
import { findModel } from '../models/index.ts'
import { writeFileWhole } from '../pictures/files.ts'
import { collect, wholeNumberIn } from './arguments.ts'
import { consoleFor, type Console } from './console.ts'
import { appName, assistNetworks, modelFolders } from './places.ts'

interface BenchCommandOptions {
  readonly full?: string
  readonly peers?: string
  readonly only: readonly string[]
  readonly results?: string
  readonly plot?: string
  readonly steps: number
  readonly quick?: boolean
  readonly json?: boolean
}

export function addBench(program: Command): void {
  program
    .command('bench')
    .description('how long things take, as ratios inside one run; goes on where it was stopped')
    .option('--full <folder>', 'weights of full size, as test/bench/weights/make.ts writes them; without it the bundled model alone is measured')
    .option('--peers <python>', 'the Python with torch and diffusers to compare with (else LARKSPUR_PEERS, else test/bench/peers/venv)')
    .option('--only <text>', 'cases whose names hold this; may be given several times', collect, [])
    .option('--results <file.jsonl>', 'where results are kept; a run of the same facts goes on there')
    .option('--plot <file.svg>', 'how cost grows with steps, size, betas and subjects')
    .option('--steps <n>', 'steps of a whole job of full size, on both sides', wholeNumberIn(FEWEST_STEPS_TO_SKIP, 200), WHOLE_STEPS)
    .option('--quick', 'fewer repetitions')
    .option('--json', 'one JSON object on stdout')
    .action(async (options: BenchCommandOptions) => await bench(options))
}

async function bench(options: BenchCommandOptions): Promise<void> {
  const screen = consoleFor(options.json === true)
  const full = options.full === undefined ? null : await folderOf(options.full)
  const peers = await pythonOf(options.peers)
  const threads = threadCount() ?? availableParallelism()
  const quick = options.quick === true
  const facts = { app: appName(), machine: machineOf(), threads, steps: options.steps, quick, full, peers }
  const { folder: mini } = await findModel('mini', modelFolders([]))
  const given = { mini, full, peers, threads, steps: options.steps, quick, only: options.only, fill: assistNetworks().fill, app: appName() }
  plannedCases(given)
  const path = options.results ?? join(tmpdir(), `larkspur-bench${full === null ? '' : '-full'}.jsonl`)
  const results = await BenchResults.open(path, facts)
  const stop = new AbortController()
  const cancel = (): void => stop.abort()
  process.once('SIGINT', cancel)
  process.once('SIGTERM', cancel)
  try {
    await runBench(given, results, stop.signal, (progress) => tell(screen, progress))
  } catch (error) {
    if (error instanceof Cancelled) throw new UserError('cancelled', `the bench was stopped; ${path} keeps what was measured, the same command goes on there`)
    throw error
  } finally {
    process.off('SIGINT', cancel)
    process.off('SIGTERM', cancel)
  }
  const ratios = ratiosOf(results.measured())
  const growth = results.find('mini growth')?.measured
  if (options.plot !== undefined) {
    if (growth == null) throw new UserError('bad-arguments', '--plot: the case "mini growth" was not measured; leave --only away or name it')
    await writeFileWhole(options.plot, Buffer.from(growthPlot(growth)))
  }
  for (const name of ratioNames) screen.line(`${name}: ${ratios[name] === null ? 'not measured' : `${ratios[name].value.toFixed(3)} (${ratios[name].from})`}`)
  screen.object({
    ratios: Object.fromEntries(ratioNames.map((name) => [name, ratios[name]?.value ?? null])),
    measuredIn: Object.fromEntries(ratioNames.map((name) => [name, ratios[name]?.from ?? null])),
    ...facts,
    cases: [...new Map(results.results.map((result) => [result.case, result])).values()],
  })
}

async function folderOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => null)
  if (found?.isDirectory() !== true)
    throw new UserError('bad-arguments', `--full ${path}: no such folder; write one with node --import tsx test/bench/weights/make.ts --out ${path}`)
  return resolve(path)
}

/** A named Python must be there; the usual place may be empty. */
async function pythonOf(named: string | undefined): Promise<string | null> {
  const wish = named ?? (process.env['LARKSPUR_PEERS'] || undefined)
  const path = wish ?? fileURLToPath(new URL('../../test/bench/peers/venv/bin/python', import.meta.url))
  const there = await access(path).then(
    () => true,
    () => false,
  )
  if (there) return resolve(path)
  if (wish === undefined) return null
  throw new UserError(
    'bad-arguments',
    `${named === undefined ? 'LARKSPUR_PEERS' : '--peers'} ${wish}: no such file; expected a Python as test/bench/peers/README.md makes one`,
  )
}

function machineOf(): string {
  const [first] = cpus()
  return `${first?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform} ${process.arch}, Node ${process.versions.node}`
}

function tell(screen: Console, { done, total, case: one, minutesLeft, result }: BenchProgress): void {
  const left = minutesLeft < 1 ? `${Math.round(minutesLeft * 60)} s` : `${Math.round(minutesLeft)} min`
  if (result === null) return screen.note(`${done + 1}/${total} ${one.name}: ${one.says}; about ${left} left`)
  const numbers = Object.entries(result.measured ?? {}).slice(0, 4)
  const text = numbers.map(([name, values]) => `${name} ${values.map((value) => Number(value.toPrecision(4))).join(' ')}`).join(', ')
  screen.note(
    `${done}/${total} ${one.name}: ${result.measured === null ? `not measured: ${result.why}` : text}; ${result.seconds.toFixed(0)} s, about ${left} left`,
  )
}
