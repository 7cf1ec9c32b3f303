import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvaluationProgress, EvaluationSettings } from '../../../src-main/contract/evaluation.ts'
import { ByteCache } from '../../../src-main/engine/byte-cache.ts'
import { Cancelled, type Workshop } from '../../../src-main/engine/job.ts'
import { ExpectedSeconds } from '../../../src-main/engine/progress.ts'
import type { ModelManifest } from '../../../src-main/contract/model-manifest.ts'
import { readBenchmark } from '../../../src-main/evaluation/benchmark.ts'
import { clipJudge } from '../../../src-main/evaluation/clip-judge.ts'
import { methodsOf } from '../../../src-main/evaluation/methods.ts'
import { Thumbnails } from '../../../src-main/evaluation/report/sheets.ts'
import { writeReport } from '../../../src-main/evaluation/report/write-report.ts'
import { ResultFile, type Header, type Result } from '../../../src-main/evaluation/results.ts'
import { plainWorkshop, runEvaluation, type Interruptions, type Progress } from '../../../src-main/evaluation/run.ts'
import { summarise } from '../../../src-main/evaluation/summary.ts'
import { fakeModel } from '../engine/fake-model.ts'
import { resultOf, writeBenchmark } from './helpers.ts'

let folder = ''
const at = (name: string) => join(folder, name)
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larkspur-evaluation-'))
  await writeBenchmark(at('benchmark'))
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

const settings: EvaluationSettings = { seed: 3, steps: 2, guidance: 1, guideStrength: null, detailTransfer: null, share: true, sam: false }
const defaults = { steps: 2, guidance: 1, rescale: 0, betaWithText: 0.5, betaSubjectOnly: 1, guideStrength: 0, detailTransfer: 0, sampler: 'ddim' } as const
const manifest = { id: 'fake', nativeSize: 64, defaults } as unknown as ModelManifest

function workshop(): Workshop {
  return {
    model: () => Promise.resolve(fakeModel().model),
    fill: (picture, hole) =>
      Promise.resolve({ ...picture, pixels: picture.pixels.map((value, index) => (hole.pixels[Math.floor(index / 3)] === 0 ? value : 100)) }),
    cache: new ByteCache(1e8),
    expected: new ExpectedSeconds(),
    provider: 'cpu',
    app: 'test 0',
  }
}

interface Asked {
  readonly methods?: string
  readonly header?: Partial<Header>
  readonly sha256?: string
  /** Dies after so many results. */
  readonly dieAfter?: number
  readonly told?: Progress[]
  readonly opened?: string[]
  readonly interruptions?: Interruptions
  readonly worked?: EvaluationProgress[]
}

async function evaluate(
  out: string,
  {
    methods = 'fill,naive-paste,text,subject,both@0,both@1,both@1:no-refine',
    header: other,
    sha256 = 'a'.repeat(64),
    dieAfter,
    told = [],
    opened = [],
    interruptions,
    worked = [],
  }: Asked = {},
) {
  await mkdir(at(out), { recursive: true })
  const benchmark = await readBenchmark(at('benchmark'))
  const judge = clipJudge(fakeModel().model, 'a fake')
  const header: Header = { format: 1, benchmark: { name: benchmark.name, sha256: benchmark.sha256 }, clip: judge.name, settings, ...other }
  const results = await ResultFile.open(at(out), header)
  const thumbnails = new Thumbnails(
    at(out),
    benchmark.cases.map(({ id }) => id),
  )
  let pictures = 0
  try {
    await runEvaluation({
      benchmark,
      cases: benchmark.cases,
      methods: methodsOf(methods, [{ id: 'fake', text: true, subject: true, refine: true, defaults }]),
      settings,
      judge,
      sam: null,
      results,
      plain: plainWorkshop(workshop()),
      openModel: (id) => {
        opened.push(id)
        return Promise.resolve({ manifest, sha256, workshop: workshop(), release: () => Promise.resolve() })
      },
      onPicture: async ({ one, inputs, method, picture }) => {
        if (pictures++ === dieAfter) throw new Error('killed')
        await thumbnails.keep(one, inputs, method.name, picture)
      },
      onProgress: (progress) => told.push(progress),
      onWork: (progress) => worked.push(progress),
      ...(interruptions === undefined ? {} : { interruptions }),
    })
  } finally {
    await results.close()
  }
  return { benchmark, header, thumbnails, results: results.results }
}

/** Lines as they are on the disk, seconds left out: they differ from run to run. */
async function lines(out: string): Promise<unknown[]> {
  const text = await readFile(join(at(out), 'results.jsonl'), 'utf8')
  return text
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as Result), seconds: 0 }))
}

describe('runEvaluation', () => {
  it('measures every method of every case, with a truth where there is one', async () => {
    const told: Progress[] = []
    const { results } = await evaluate('whole', { told })
    expect(results).toHaveLength(3 * 7)
    expect(results.every(({ changedOutside }) => changedOutside === 0)).toBe(true)
    expect(results.filter(({ psnr }) => psnr !== null).map(({ case: id }) => id)).toEqual(Array<string>(7).fill('pair_one'))
    expect(results.filter(({ method }) => method === 'naive-paste').every(({ edges }) => edges > 0.999)).toBe(true)
    expect(results.find(({ method, prompt }) => method === 'fake/both@0' && prompt === 'a blue ball')?.disagrees).toBe(true)
    expect(told.map(({ done, total }) => [done, total])).toEqual(Array.from({ length: 21 }, (_, index) => [index + 1, 21]))
    expect(told.at(-1)?.secondsLeft).toBe(0)
    // The red ball against flat grey in a red square: what was laid in is nearer.
    const psnr = (method: string) => results.find((result) => result.method === method && result.pair)?.psnr ?? 0
    expect(psnr('naive-paste')).toBeGreaterThan(psnr('fill'))
  })

  it('ends after a kill with the lines of a run that was not killed', async () => {
    await expect(evaluate('killed', { dieAfter: 9 })).rejects.toThrow('killed')
    const path = join(at('killed'), 'results.jsonl')
    const whole = await readFile(path, 'utf8')
    // The line that was being written when it died.
    await truncate(path, whole.length - 25)
    const { results } = await evaluate('killed')
    expect(results).toHaveLength(21)
    expect(await lines('killed')).toEqual(await lines('whole'))
  })

  it('does nothing twice, takes further methods, and opens no model it has no work for', async () => {
    const opened: string[] = []
    const told: Progress[] = []
    await evaluate('more', { methods: 'fill,text' })
    await evaluate('more', { methods: 'fill,text', opened, told })
    expect([opened, told]).toEqual([[], []])
    const { results } = await evaluate('more', { methods: 'text,both@1', opened, told })
    expect(opened).toEqual(['fake'])
    expect(told).toHaveLength(3)
    expect(results).toHaveLength(9)
  })

  it('refuses to mix what cannot be compared', async () => {
    await evaluate('mixed', { methods: 'text' })
    const other = { settings: { ...settings, steps: 4 } }
    await expect(evaluate('mixed', { methods: 'text', header: other })).rejects.toThrow(/results\.jsonl: made with the settings .*"steps":2.* now .*"steps":4/)
    await expect(evaluate('mixed', { methods: 'text', header: { clip: 'another' } })).rejects.toThrow(/made with the CLIP "a fake", now "another"/)
    await expect(evaluate('mixed', { methods: 'both@1', sha256: 'b'.repeat(64) })).rejects.toThrow(
      /another state of model "fake" \(manifest aaaaaaaaaaaa, now bbbbbbbbbbbb\)/,
    )
  })

  it('stops between two steps of a result, keeps what is done, and ends with the lines of a run that was not stopped', async () => {
    const worked: EvaluationProgress[] = []
    // Stopped in the middle of the fourth result: its model has begun, its line is not there.
    const cancelled = (): boolean => (worked.at(-1)?.done ?? 0) === 9 && (worked.at(-1)?.now?.fraction ?? 0) > 0
    const interruptions: Interruptions = { cancelled, wanted: () => false, giveWay: () => Promise.resolve() }
    await expect(evaluate('stopped', { interruptions, worked })).rejects.toBeInstanceOf(Cancelled)
    expect(await lines('stopped')).toHaveLength(1 + 9)
    expect(worked[0]).toMatchObject({ done: 0, total: 21, secondsLeft: null, now: { fraction: 0 } })
    expect(worked.at(-1)?.secondsLeft).toBeGreaterThan(0)
    const { results } = await evaluate('stopped')
    expect(results).toHaveLength(21)
    expect(await lines('stopped')).toEqual(await lines('whole'))
  })

  it('lets others go first, drops what it was at, and makes it anew', async () => {
    const worked: EvaluationProgress[] = []
    const gaveWay: (number | undefined)[] = []
    let wanted = false
    const interruptions: Interruptions = {
      cancelled: () => false,
      wanted: () => {
        // Somebody comes in the middle of each seventh result, once.
        const now = worked.at(-1)
        if (now !== undefined && now.done % 7 === 6 && (now.now?.fraction ?? 0) > 0 && !gaveWay.includes(now.done)) wanted = true
        return wanted
      },
      giveWay: () => {
        gaveWay.push(worked.at(-1)?.done)
        wanted = false
        return Promise.resolve()
      },
    }
    await evaluate('polite', { interruptions, worked })
    expect(gaveWay.length).toBeGreaterThan(1)
    // The result in work was begun twice: it was dropped at a fraction, and began again at 0.
    const begun = worked.filter(({ done, now }) => done === gaveWay[0] && now?.fraction === 0)
    expect(begun.length).toBeGreaterThan(1)
    expect(await lines('polite')).toEqual(await lines('whole'))
  })

  it('names a line that is damaged', async () => {
    await evaluate('damaged', { methods: 'fill' })
    await appendFile(join(at('damaged'), 'results.jsonl'), '{"case":\n')
    await expect(evaluate('damaged', { methods: 'fill' })).rejects.toThrow(/results\.jsonl: line 5 is damaged/)
  })

  it('names the case of a picture that is missing', async () => {
    const benchmark = await readBenchmark(at('benchmark'))
    const path = join(benchmark.folder, 'subjects', 'ball.png')
    const bytes = await readFile(path)
    await rm(path)
    try {
      await expect(evaluate('missing', { methods: 'fill' })).rejects.toThrow(/^case .*ball.*: .*ball\.png: no such file/)
    } finally {
      await writeFile(path, bytes)
    }
  })
})

describe('the report', () => {
  it('stands alone, has both tables, the curve and the sheet, and escapes what it is given', async () => {
    const { benchmark, header, thumbnails, results } = await evaluate('whole')
    const summary = summarise(header, results)
    const facts = {
      benchmark: { ...benchmark, about: 'made <b>by hand</b>' },
      cases: benchmark.cases,
      shown: benchmark.cases,
      thumbnails,
      judgedBy: 'fake',
      app: 'test 0',
    }
    const path = await writeReport(at('whole'), summary, facts)
    const html = await readFile(path, 'utf8')
    expect(html).not.toMatch(/<script|<link|src="(?!data:)|href=/)
    expect(html).toContain('made &#60;b&#62;by hand&#60;/b&#62;')
    expect(html.match(/src="data:image\/webp;base64,/g)).toHaveLength(3 * (2 + 7) + 1)
    for (const part of ['Table 1.', 'Table 2.', 'Table 4.', '<svg', 'It learned to please them', 'No result changed a pixel']) expect(html).toContain(part)
    const markdown = await readFile(join(at('whole'), 'report.md'), 'utf8')
    expect(markdown).toMatch(/\| fake\/both@1 \| subject and text \| 2 \|.* ± /)
    expect(markdown).toContain('](beta-fake.svg)')
    expect((await readFile(join(at('whole'), 'sheet-1.webp'))).length).toBeGreaterThan(1000)
    expect(JSON.parse(await readFile(join(at('whole'), 'summary.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(summary)))
  })

  it('says so when something outside a mask was changed', async () => {
    const { benchmark, header, thumbnails, results } = await evaluate('whole')
    const summary = summarise(
      header,
      results.map((result, index) => (index === 0 ? { ...result, changedOutside: 4 } : result)),
    )
    expect(summary.changedOutside).toBe(4)
    const facts = { benchmark, cases: benchmark.cases, shown: [], thumbnails, judgedBy: null, app: 'test 0' }
    expect(await readFile(await writeReport(at('whole'), summary, facts), 'utf8')).toContain('<li class="fault">FAULT: 4 pixels')
  })
})

describe('summarise', () => {
  const line = (method: string, id: string, clipI: number, clipT: number): Result =>
    resultOf(method, id, { model: { id: 'm', sha256: 'c'.repeat(64) }, disagrees: id !== 'c0', clipI, clipT, seam: null })
  const header: Header = { format: 1, benchmark: { name: 'b', sha256: 'd'.repeat(64) }, clip: 'x', settings }

  it('draws the curve over all cases and over those that disagree, by rising beta', () => {
    const results = [1, 0, 0.5].flatMap((beta) => ['c0', 'c1', 'c2'].map((id, index) => line(`m/both@${beta}`, id, beta + index / 100, 1 - beta)))
    const { curves } = summarise(header, results)
    expect(curves.map(({ over, points }) => [over, points.map(({ beta }) => beta), points[0]?.clipI.n])).toEqual([
      ['all', [0, 0.5, 1], 3],
      ['disagreeing', [0, 0.5, 1], 2],
    ])
    expect(curves[0]?.monotonic).toEqual({ clipIRises: true, clipTFalls: true })
    expect(curves[0]?.span.clipI?.mean).toBeCloseTo(1, 9)
    expect(curves[0]?.span.clipT?.mean).toBeCloseTo(-1, 9)
  })

  it('compares with and without RefineNet case by case', () => {
    const results = ['c0', 'c1'].flatMap((id, index) => [line('m/both@0.3', id, 0.5 + index, 0.2), line('m/both@0.3:no-refine', id, 0.4 + index, 0.25)])
    const [refine] = summarise(header, results).parts
    expect([refine?.from, refine?.to]).toEqual(['m/both@0.3:no-refine', 'm/both@0.3'])
    expect(refine?.cases.clipI?.mean).toBeCloseTo(0.1, 9)
    expect(refine?.cases.clipT?.mean).toBeCloseTo(-0.05, 9)
  })

  it('sets a method against itself with one part less: RefineNet, Assign (beta 0), the zoom-in of Locate', () => {
    const names = ['m/both@0.3', 'm/both@0.3:no-refine', 'm/both@0', 'm/both@0.3:no-locate', 'm/both@0.5', 'm/both@0.3:no-refine:no-locate']
    const results = ['c0', 'c1'].flatMap((id) => names.map((name, index) => line(name, id, index, 0)))
    const { parts, methods } = summarise(header, results)
    expect(parts.map(({ from, to }) => [from, to])).toEqual([
      ['m/both@0.3:no-refine', 'm/both@0.3'],
      ['m/both@0', 'm/both@0.3'],
      ['m/both@0.3:no-locate', 'm/both@0.3'],
      ['m/both@0.3:no-refine:no-locate', 'm/both@0.3:no-refine'],
    ])
    expect(methods.map(({ method }) => method).slice(0, 2)).toEqual(['m/both@0', 'm/both@0.3'])
  })
})
