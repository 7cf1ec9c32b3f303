import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { engineEventSchema, type EngineEvent } from '../../../src-main/contract/engine-protocol.ts'
import type { EvaluationPlan, EvaluationView } from '../../../src-main/contract/evaluation.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import type { Host } from '../../../src-main/engine/guest.ts'
import { Cancelled } from '../../../src-main/engine/job.ts'
import { ExpectedSeconds } from '../../../src-main/engine/progress.ts'
import { EvaluationDesk } from '../../../src-main/evaluation/desk.ts'
import type { Entrant } from '../../../src-main/evaluation/prepare.ts'
import { Thumbnails } from '../../../src-main/evaluation/report/sheets.ts'
import { readManifest } from '../../../src-main/models/index.ts'
import { writeBenchmark } from './helpers.ts'

let folder = ''
let mini: Entrant
const at = (name: string): string => join(folder, name)

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-evaluation-desk-'))
  await writeBenchmark(at('benchmark'))
  const read = await readManifest(join(import.meta.dirname, '..', '..', '..', 'resources', 'models', 'mini'))
  mini = { ...read, abilities: { id: 'mini', text: true, subject: true, refine: true, defaults: read.manifest.defaults } }
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const newDesk = (): EvaluationDesk => new EvaluationDesk({ entrants: () => Promise.resolve([mini]), app: 'test 0' })
const desk = newDesk()

const plan = (over: Partial<EvaluationPlan> = {}): EvaluationPlan => ({
  benchmark: at('benchmark'),
  methods: 'fill,naive-paste',
  limit: null,
  sheetCases: 2,
  clip: null,
  settings: { seed: 0, steps: 1, guidance: null, guideStrength: null, detailTransfer: null, share: true, sam: false },
  ...over,
})

async function look(out: string, whose = desk): Promise<EvaluationView | null> {
  const event = engineEventSchema.parse(structuredClone(await whose.answer({ type: 'look-evaluation', jobId: 'look', out: at(out) })))
  if (event.type !== 'evaluation') throw new Error(event.type)
  return event.view
}

function host(told: EngineEvent[], cancelled: () => boolean = () => false): Host {
  const workshop = {
    fill: <P extends { pixels: Uint8Array }>(picture: P, hole: { pixels: Uint8Array }): Promise<P> =>
      Promise.resolve({ ...picture, pixels: picture.pixels.map((value, index) => (hole.pixels[Math.floor(index / 3)] === 0 ? value : 100)) }),
    cache: new ByteCache(1e7),
    expected: new ExpectedSeconds(),
    provider: 'cpu',
    app: 'test 0',
  }
  return {
    workshop,
    workshopOf: () => ({ ...workshop, model: () => Promise.reject(new Error('no model was to be opened')) }),
    tell: (event) => told.push(engineEventSchema.parse(structuredClone(event))),
    cancelled,
    wanted: () => false,
    giveWay: () => Promise.resolve(),
  }
}

describe('the desk of evaluations', () => {
  it('tells what a benchmark holds and what a plan would come to', async () => {
    expect(await desk.answer({ type: 'look-benchmark', jobId: 'a', folder: at('benchmark') })).toEqual({
      type: 'benchmark',
      jobId: 'a',
      facts: { name: 'two things', about: '', scenes: 1, subjects: 1, prompts: 2, pairs: 1, cases: 3 },
    })
    expect(await desk.answer({ type: 'size-evaluation', jobId: 'b', plan: plan({ methods: 'fill,mini/both@0.3:no-refine', limit: 2 }) })).toEqual({
      type: 'evaluation-size',
      jobId: 'b',
      cases: 2,
      methods: ['fill', 'mini/both@0.3:no-refine'],
      results: 4,
    })
    await expect(desk.answer({ type: 'size-evaluation', jobId: 'c', plan: plan({ methods: 'gone/text' }) })).rejects.toThrow(
      /no model "gone" takes part; there are mini/,
    )
    expect(await look('nothing-there')).toBeNull()
  })

  it('stops at once, says what is there, and goes on in another process to the end and the report', { timeout: 60_000 }, async () => {
    const told: EngineEvent[] = []
    const done = (): number => Math.max(0, ...told.map((event) => (event.type === 'evaluating' ? event.progress.done : 0)))
    const job = { type: 'evaluate', jobId: 'run', out: at('out'), plan: plan() } as const
    await expect(
      desk.run(
        job,
        host(told, () => done() >= 2),
      ),
    ).rejects.toBeInstanceOf(Cancelled)
    const half = await look('out')
    expect(half).toMatchObject({ done: 2, total: 6, results: 2, judgedBy: 'mini', reported: false, problem: null, methods: ['fill', 'naive-paste'] })
    expect(half?.plan?.benchmark).toBe(resolve(at('benchmark')))
    expect(half?.sheet.columns.slice(0, 2)).toEqual(['scene', 'subject'])
    expect(half?.sheet.rows).toHaveLength(2)
    const [made] = half?.sheet.rows ?? []
    expect(made?.pictures[0]).toBe(Thumbnails.nameOf(made?.id ?? '', 'scene'))
    expect(half?.sheet.rows[1]?.pictures.every((name) => name === null)).toBe(true)

    // Another desk knows nothing but the folder.
    const later = newDesk()
    const seen = await look('out', later)
    expect(seen).toEqual(half)
    const before = await readFile(join(at('out'), 'results.jsonl'), 'utf8')
    await later.run({ ...job, plan: seen?.plan ?? plan() }, host([]))
    const after = await look('out', later)
    expect(after).toMatchObject({ done: 6, total: 6, reported: true, changedOutside: 0 })
    expect((await readFile(join(at('out'), 'results.jsonl'), 'utf8')).startsWith(before)).toBe(true)
    expect(after?.tables[0]?.rows.map(({ method }) => method)).toEqual(['fill', 'naive-paste'])
    expect(await readFile(join(at('out'), 'report.html'), 'utf8')).toContain('It learned to please them')
  })

  it('writes the report of what is there, and names a folder that has nothing to report', async () => {
    await rm(join(at('out'), 'report.html'))
    expect((await look('out'))?.reported).toBe(false)
    expect(await desk.answer({ type: 'report-evaluation', jobId: 'r', out: at('out') })).toEqual({ type: 'done', jobId: 'r' })
    expect((await look('out'))?.reported).toBe(true)
    await expect(desk.answer({ type: 'report-evaluation', jobId: 'r', out: at('nothing') })).rejects.toThrow(/nothing: no results with a plan/)
  })

  it('shows results whose benchmark has changed or has no plan beside them, and says so', async () => {
    const path = join(at('benchmark'), 'benchmark.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace('two things', 'three things'))
    try {
      expect(await look('out')).toMatchObject({ results: 6, total: null, benchmark: null, problem: expect.stringMatching(/the benchmark was changed since/) })
    } finally {
      await writeFile(path, text)
    }
    await rm(join(at('out'), 'evaluation.json'))
    expect(await look('out')).toMatchObject({ plan: null, problem: null, results: 6, judgedBy: null, sheet: { rows: [] } })
    await writeFile(join(at('out'), 'evaluation.json'), '{"format": 2}')
    await expect(look('out')).rejects.toThrow(/evaluation\.json: format: /)
  })

  it('refuses what it cannot do in one line', async () => {
    const job = { type: 'evaluate', jobId: 'run', out: at('other'), plan: plan() } as const
    await expect(desk.run({ ...job, plan: plan({ settings: { ...plan().settings, sam: true } }) }, host([]))).rejects.toThrow(/judged by SAM 2 too/)
    await expect(desk.run({ ...job, plan: plan({ clip: at('benchmark') }) }, host([]))).rejects.toThrow(/benchmark: no CLIP found/)
    await expect(desk.run({ ...job, out: at('out'), plan: plan({ settings: { ...plan().settings, seed: 5 } }) }, host([]))).rejects.toThrow(
      /made with the settings .* choose another folder for the results/,
    )
  })
})
