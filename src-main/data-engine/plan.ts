import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { sha256Schema } from '../contract/basics.ts'
import { insidePathSchema, splitSchema, type Split } from '../contract/dataset.ts'
import { UserError } from '../contract/errors.ts'
import { onDisk, WORK_FOLDER } from '../datasets/folder.ts'
import { LineWriter, readLines } from '../datasets/lines.ts'
import { fileReason, makeFolder } from '../pictures/files.ts'
import { compare, scanPhotos, type PhotoFile } from './scan.ts'

/** The header of the plan: what it is a plan of. */
const planHeaderSchema = z.strictObject({
  format: z.literal(1),
  photos: z.string(),
  limit: z.int().positive().nullable(),
  licence: z.string().nullable(),
  source: z.string().nullable(),
})
export type PlanHeader = z.infer<typeof planHeaderSchema>

/** A photo that the build will look at, or a file whose bytes cannot be read. */
export const planLineSchema = z.strictObject({
  file: insidePathSchema,
  sha256: sha256Schema.nullable(),
  bytes: z.int().nonnegative(),
  modifiedMs: z.int(),
  copies: z.array(insidePathSchema),
  licence: z.string().nullable(),
  source: z.string().nullable(),
  /** What the files beside the photos say; a test photo must not end up in training because a hash says so. */
  split: splitSchema.nullable(),
  problem: z.string().nullable(),
})
export type PlanLine = z.infer<typeof planLineSchema>

export function planPath(out: string): string {
  return join(out, WORK_FOLDER, 'plan.jsonl')
}

/**
 * Lists and hashes the photos; lines in the order of their hashes, exact copies under one of them. Files that an older plan knows with the same size and time are not read again.
 * @param onProgress bytes that are hashed, of all
 * @returns notes about what was left out, a line each
 */
export async function makePlan(out: string, header: PlanHeader, onProgress: (done: number, all: number) => void): Promise<{ notes: string[]; photos: number }> {
  await makeFolder(join(out, WORK_FOLDER))
  const { files, notes } = await scanPhotos(header.photos, header.limit)
  const known = await knownHashes(out, header)
  const all = files.reduce((sum, { bytes }) => sum + bytes, 0)
  let done = 0
  const lines: PlanLine[] = []
  for (const one of files) {
    const before = known.get(one.file)
    const line = planLine(one, header)
    if (before !== undefined && before.bytes === one.bytes && before.modifiedMs === one.modifiedMs) lines.push({ ...line, sha256: before.sha256 })
    else lines.push(await hashed(header.photos, line))
    done += one.bytes
    onProgress(done, all)
  }
  const merged = joined(lines)
  const writer = await LineWriter.open(planPath(out))
  try {
    await writer.add(header)
    for (const line of merged) await writer.add(line)
    await writer.finish()
  } catch (error) {
    await writer.abandon()
    throw error
  }
  return { notes, photos: merged.length }
}

/** Whether the plan at hand is one of these photos. */
export async function hasPlan(out: string, header: PlanHeader): Promise<boolean> {
  const found = await planHeader(out)
  return found !== null && JSON.stringify(found) === JSON.stringify(header)
}

export async function planHeader(out: string): Promise<PlanHeader | null> {
  try {
    for await (const line of readLines(planPath(out), z.unknown())) return planHeaderSchema.parse(line)
  } catch {
    // No plan, or one of another version: it is made anew.
  }
  return null
}

/** The plan's lines, in the order of the photos' hashes; files that cannot be read come first. */
export async function* readPlan(out: string): AsyncGenerator<PlanLine> {
  let first = true
  for await (const line of readLines(planPath(out), z.union([planLineSchema, planHeaderSchema]))) {
    if (!first) yield planLineSchema.parse(line)
    first = false
  }
}

async function knownHashes(out: string, header: PlanHeader): Promise<Map<string, PlanLine>> {
  const known = new Map<string, PlanLine>()
  const before = await planHeader(out)
  if (before === null || before.photos !== header.photos) return known
  for await (const line of readPlan(out)) if (line.sha256 !== null) known.set(line.file, line)
  return known
}

function planLine({ file, bytes, modifiedMs, origin }: PhotoFile, { licence, source }: PlanHeader): PlanLine {
  return {
    file,
    sha256: null,
    bytes,
    modifiedMs,
    copies: [],
    licence: origin.licence ?? licence,
    source: origin.source ?? source,
    split: origin.split,
    problem: null,
  }
}

async function hashed(folder: string, line: PlanLine): Promise<PlanLine> {
  const hash = createHash('sha256')
  try {
    await pipeline(createReadStream(onDisk(folder, line.file)), hash)
    return { ...line, sha256: hash.digest('hex') }
  } catch (error) {
    return { ...line, problem: fileReason(error) }
  }
}

const STRICTEST: readonly (Split | null)[] = ['test', 'validation', 'train', null]

/** One line a content: its first path stands for it, and the strictest split of its copies is its own. */
function joined(lines: readonly PlanLine[]): PlanLine[] {
  const sorted = [...lines].sort((a, b) => compare(a.sha256 ?? '', b.sha256 ?? '') || compare(a.file, b.file))
  const merged: PlanLine[] = []
  for (const line of sorted) {
    const last = merged.at(-1)
    if (last === undefined || line.sha256 === null || last.sha256 !== line.sha256) {
      merged.push(line)
      continue
    }
    const split = STRICTEST.find((one) => one === last.split || one === line.split) ?? null
    merged[merged.length - 1] = {
      ...last,
      copies: [...last.copies, line.file],
      split,
      licence: last.licence ?? line.licence,
      source: last.source ?? line.source,
    }
  }
  return merged
}

/** @throws UserError when there is no plan to go by */
export async function expectPlan(out: string): Promise<PlanHeader> {
  const header = await planHeader(out)
  if (header === null) throw new UserError('bad-dataset', `${planPath(out)}: no plan of a build, expected one that \`dataset build\` made`)
  return header
}
