import { describe, expect, it } from 'vitest'
import type { Header, Result } from '../../../src-main/evaluation/results.ts'
import { wordedTables } from '../../../src-main/evaluation/report/tables.ts'
import { summarise } from '../../../src-main/evaluation/summary.ts'
import { curveForm, tablesOf } from '../../../src-main/evaluation/tables.ts'
import { resultOf } from './helpers.ts'

const header: Header = {
  format: 1,
  benchmark: { name: 'b', sha256: 'd'.repeat(64) },
  clip: 'x',
  settings: { seed: 0, steps: null, guidance: null, guideStrength: null, detailTransfer: null, share: true, sam: false },
}

function result(method: string, at: number, over: Partial<Result> = {}): Result {
  return resultOf(method, `c${at}`, { scene: `s${at}`, subject: `t${at}`, clipI: 0.5 + at / 100, ...over })
}

const pair = (method: string, at: number, psnr: number): Result => result(method, at, { case: `p${at}`, pair: true, psnr, gradientError: 4 })
const RESULTS = [
  ...[0, 1, 2].flatMap((at) => [
    result('fill', at),
    result('m/both@0.3', at, { clipI: 0.7 + at / 50 }),
    result('m/both@0.3:no-refine', at, { clipI: 0.6 + at / 50 }),
  ]),
  ...[0, 1].flatMap((at) => [pair('fill', at, 20), pair('m/both@0.3', at, 22 + at)]),
]

describe('tables without words', () => {
  const summary = summarise(header, RESULTS)
  const [methods, parts, differences] = tablesOf(summary)

  it('sets figures of all cases beside those of the pairs, each with its own n', () => {
    expect(methods?.kind).toBe('methods')
    expect(methods?.columns.map(({ figure, over }) => `${figure} ${over}`)).toEqual([
      'clipI cases',
      'clipT cases',
      'psnr pairs',
      'gradientError pairs',
      'changedOutside cases',
      'seam cases',
      'seconds cases',
    ])
    expect(methods?.rows.map(({ method, given }) => [method, given])).toEqual([
      ['fill', 'nothing'],
      ['m/both@0.3', 'both'],
      ['m/both@0.3:no-refine', 'both'],
    ])
    const [, both, without] = methods?.rows ?? []
    expect(both?.cells.map((cell) => cell?.n)).toEqual([3, 3, 2, 2, 3, 3, 3])
    expect(both?.cells[0]?.mean).toBeCloseTo(0.72, 9)
    expect(both?.best).toEqual([0, 2])
    expect(without?.cells[2]).toBeNull()
  })

  it('tells what a part adds, case by case', () => {
    expect(parts?.rows.map(({ method }) => method)).toEqual(['m/both@0.3', 'm/both@0.3:no-refine'])
    expect(differences?.rows[0]).toMatchObject({ method: 'm/both@0.3', against: 'm/both@0.3:no-refine', given: null })
    expect(differences?.rows[0]?.cells[0]?.mean).toBeCloseTo(0.1, 9)
  })

  it('becomes the words of the report', () => {
    const [first] = wordedTables(summary)
    expect(first?.head).toEqual([
      'Method',
      'Given',
      'N',
      'CLIP-I ↑',
      'CLIP-T ↑',
      'PSNR (dB) ↑ (pairs)',
      'Gradient error ↓ (pairs)',
      'Changed outside ↓',
      'Seam ↓',
      'Seconds ↓',
    ])
    expect(first?.rows[1]?.cells.slice(0, 4)).toEqual(['m/both@0.3', 'subject and text', '3', '0.720 ± 0.012'])
    expect(first?.rows[1]?.cells[5]).toBe('22.50 ± 0.50')
    expect(first?.rows[1]?.best).toEqual([3, 5])
  })

  it('gives a curve one error a point', () => {
    const { curves } = summarise(
      header,
      [0, 1].flatMap((beta) => [0, 1, 2].map((at) => result(`m/both@${beta}`, at, { clipI: beta / 2 + at / 10 }))),
    )
    const [curve] = curves.map(curveForm)
    expect(curve?.points.map(({ beta, clipI }) => [beta, clipI.n])).toEqual([
      [0, 3],
      [1, 3],
    ])
    expect(curve?.span.clipI).toMatchObject({ n: 3, mean: 0.5 })
  })
})
