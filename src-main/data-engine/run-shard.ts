import { join } from 'node:path'
import { WORK_FOLDER } from '../datasets/folder.ts'
import { writeSpec, type BuildSpec } from './build-spec.ts'
import { readPlan } from './plan.ts'
import { runPhoto, type PhotoRun } from './run-photo.ts'
import { inShard, type Shard } from './shard.ts'
import { StageCache } from './stage-cache.ts'
import type { Stages } from './stages.ts'

export interface ShardProgress {
  readonly done: number
  readonly total: number
  /** The photo that is done, with the line to tell of it where something was wrong. */
  readonly file: string
  readonly problem: string | null
  readonly objects: number
  readonly photosPerSecond: number
  readonly secondsLeft: number
}

export interface ShardReport {
  readonly photos: number
  /** Photos that were done before. */
  readonly known: number
  readonly unreadable: number
  readonly seconds: number
  /** Seconds a stage took, and for how many photos it ran. */
  readonly stages: Readonly<Record<string, { readonly seconds: number; readonly runs: number }>>
}

export function cacheOf(out: string): StageCache {
  return new StageCache(join(out, WORK_FOLDER, 'cache'))
}

/** Takes the photos of a shard through the stages, one after the other. May be ended at any time and called again. */
export async function runShard(
  job: { readonly out: string; readonly photos: string; readonly stages: Stages; readonly spec: BuildSpec; readonly shard: Shard },
  onProgress: (progress: ShardProgress) => void,
): Promise<ShardReport> {
  const { out, photos, stages, spec, shard } = job
  await writeSpec(out, spec)
  let total = 0
  for await (const { sha256 } of readPlan(out)) if (sha256 !== null && inShard(sha256, shard)) total++
  const spent = new Map<string, { seconds: number; runs: number }>()
  const run: PhotoRun = {
    out,
    photos,
    stages,
    spec,
    cache: cacheOf(out),
    spent: (stage, seconds) => {
      const before = spent.get(stage) ?? { seconds: 0, runs: 0 }
      spent.set(stage, { seconds: before.seconds + seconds, runs: before.runs + 1 })
    },
  }
  const started = performance.now()
  let [done, known, unreadable] = [0, 0, 0]
  for await (const { file, sha256 } of readPlan(out)) {
    if (sha256 === null || !inShard(sha256, shard)) continue
    const result = await runPhoto(run, { file, sha256 })
    done++
    if (result === null) known++
    else if (result.problem !== null) unreadable++
    const fresh = done - known
    const seconds = (performance.now() - started) / 1000
    // Photos that were known cost next to nothing and must not make the rest look quick.
    const perPhoto = fresh === 0 ? 0 : seconds / fresh
    onProgress({
      done,
      total,
      file,
      problem: result?.problem ?? null,
      objects: result?.objects.length ?? 0,
      photosPerSecond: fresh === 0 ? 0 : fresh / seconds,
      secondsLeft: perPhoto * (total - done),
    })
  }
  return { photos: total, known, unreadable, seconds: (performance.now() - started) / 1000, stages: Object.fromEntries(spent) }
}
