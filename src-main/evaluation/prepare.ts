import { readdir, stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { UserError } from '../contract/errors.ts'
import type { EvaluationPlan } from '../contract/evaluation.ts'
import type { ModelManifest } from '../contract/model-manifest.ts'
import { loadClip } from '../engine/load-clip.ts'
import type { LarGenModel } from '../engine/model.ts'
import { CPU } from '../engine/runtime/device.ts'
import { sha256Of } from '../pictures/blob-store.ts'
import { readBenchmark, type Benchmark, type Case } from './benchmark.ts'
import { clipJudge, type ClipJudge } from './clip-judge.ts'
import { methodsOf, type Method, type ModelAbilities } from './methods.ts'
import type { Header } from './results.ts'

/** The model whose encoders judge when nothing else is named. */
export const JUDGE = 'mini'

/** A model at hand that may take part. */
export interface Entrant {
  readonly folder: string
  readonly manifest: ModelManifest
  /** Of its manifest. */
  readonly sha256: string
  readonly abilities: ModelAbilities
}

/** A plan with what it names read. */
export interface Task {
  /** With the methods written out, so that it means the same when other models are at hand. */
  readonly plan: EvaluationPlan
  readonly benchmark: Benchmark
  /** Those of the benchmark that are done, in their order. */
  readonly cases: readonly Case[]
  readonly methods: readonly Method[]
}

/** @throws UserError that names the file, the field or the method */
export async function readTask(plan: EvaluationPlan, entrants: readonly Entrant[]): Promise<Task> {
  const benchmark = await readBenchmark(plan.benchmark)
  const methods = methodsOf(
    plan.methods,
    entrants.map(({ abilities }) => abilities),
  )
  if (methods.length === 0)
    throw new UserError(
      'bad-arguments',
      `--methods "${plan.methods}": nothing of it can be done with ${entrants.map(({ manifest }) => manifest.id).join(', ') || 'no model'}`,
    )
  return {
    plan: {
      ...plan,
      benchmark: resolve(plan.benchmark),
      clip: plan.clip === null ? null : resolve(plan.clip),
      methods: methods.map(({ name }) => name).join(),
    },
    benchmark,
    methods,
    cases: benchmark.cases.slice(0, plan.limit ?? undefined),
  }
}

/** Cases on the contact sheets: the first of those that are done. */
export function shownCases({ cases, plan }: Pick<Task, 'cases' | 'plan'>): readonly Case[] {
  return cases.slice(0, plan.sheetCases)
}

export interface Judge {
  readonly judge: ClipJudge
  /** Id of the model that it is part of; null for one that takes no part. */
  readonly judgedBy: string | null
  readonly release: () => Promise<void>
}

/**
 * Opens the CLIP that a plan wants to judge by. Always on the cpu: figures must not depend on the provider that made the pictures.
 * @param own the model that judges where none is named
 */
export async function openJudge(
  { clip }: EvaluationPlan,
  own: () => Promise<Pick<Entrant, 'folder' | 'manifest' | 'sha256'>>,
  entrants: readonly Entrant[],
): Promise<Judge> {
  if (clip === null) {
    const { folder, manifest, sha256 } = await own()
    return judgeOf(await loadClip(folder, { device: CPU }), `${manifest.id}'s own CLIP (manifest ${sha256.slice(0, 12)})`, manifest.id)
  }
  const model = await loadClip(clip, { device: CPU })
  const partOf = entrants.find(({ folder }) => resolve(folder) === resolve(clip))?.manifest.id ?? null
  return judgeOf(model, `the CLIP in ${basename(resolve(clip))} (files ${await filesMark(clip)})`, partOf)
}

function judgeOf(model: LarGenModel, name: string, judgedBy: string | null): Judge {
  return { judge: clipJudge(model, name), judgedBy, release: async () => await model.release() }
}

/** Tells folders of one name apart without hashing gigabytes: by the names and sizes of their files. */
async function filesMark(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const sizes: string[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    sizes.push(`${relative(folder, path)} ${(await stat(path)).size}`)
  }
  return sha256Of(new TextEncoder().encode(sizes.sort().join('\n'))).slice(0, 12)
}

export function headerOf({ benchmark, plan }: Pick<Task, 'benchmark' | 'plan'>, judge: ClipJudge): Header {
  return { format: 1, benchmark: { name: benchmark.name, sha256: benchmark.sha256 }, clip: judge.name, settings: plan.settings }
}
