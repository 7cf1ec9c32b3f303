import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import type { Split } from '../contract/dataset.ts'

/** What the files beside the photos say of one; null where they say nothing. */
export interface Origin {
  readonly licence: string | null
  readonly source: string | null
  readonly split: Split | null
}

export const NO_ORIGIN: Origin = { licence: null, source: null, split: null }

const text = z.string().trim().min(1).optional().catch(undefined)
/** Keys as they are found in the wild; everything else of a line is left alone, labels above all: a tagger must not see them. */
const sidecarSchema = z.object({ licence: text, license: text, license_url: text, source: text, photo_url: text, url: text, split: text })
const indexLineSchema = sidecarSchema.extend({ file: z.string().min(1) })

const SPLITS: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  val: 'validation',
  valid: 'validation',
  validation: 'validation',
  dev: 'validation',
  test: 'test',
}

/** `index.jsonl` of a folder: a line a file, named relative to the folder. Lines that are no such objects are counted, not fatal. */
export async function readIndex(path: string): Promise<{ origins: Map<string, Origin>; bad: number } | null> {
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch {
    return null
  }
  const origins = new Map<string, Origin>()
  // A licence is written once and named by thousands of lines.
  const shared = new Map<string, string>()
  let bad = 0
  for (const line of content.split('\n')) {
    if (line.trim() === '') continue
    const parsed = indexLineSchema.safeParse(parseJson(line))
    if (parsed.success) origins.set(parsed.data.file, originOf(parsed.data, shared))
    else bad++
  }
  return { origins, bad }
}

/** `PHOTO.json` beside a photo. */
export async function readSidecar(path: string): Promise<Origin | null> {
  try {
    const parsed = sidecarSchema.safeParse(parseJson(await readFile(path, 'utf8')))
    return parsed.success ? originOf(parsed.data, new Map()) : null
  } catch {
    return null
  }
}

function originOf(data: z.infer<typeof sidecarSchema>, shared: Map<string, string>): Origin {
  const once = (value: string | undefined): string | null => {
    if (value === undefined) return null
    const known = shared.get(value) ?? value
    shared.set(known, known)
    return known
  }
  const licence = [data.licence ?? data.license, data.license_url].filter((part) => part !== undefined)
  const source = [data.source, data.photo_url ?? data.url].filter((part) => part !== undefined)
  return {
    licence: once(licence.length > 0 ? licence.join(' ') : undefined),
    source: once(source.length > 0 ? source.join(' ') : undefined),
    split: SPLITS[data.split?.toLowerCase() ?? ''] ?? null,
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
