import { describe, expect, it } from 'vitest'
import { scaleOf } from '../../../../src-renderer/evaluation/curve-scale.ts'
import { columnLabel, estimate, inErrors, methodLabel } from '../../../../src-renderer/evaluation/names.ts'
import { de } from '../../../../src-renderer/i18n/de.ts'
import { en } from '../../../../src-renderer/i18n/en.ts'

describe('figures in words', () => {
  it('names methods by model, what they are given, beta, and the part they lack', () => {
    const names = ['fill', 'naive-paste', 'mini/text', 'mini/subject@1', 'mini/both@0.3:no-refine:no-locate', 'something new']
    expect(names.map((name) => methodLabel(name, en, 'en'))).toEqual([
      'Fill only',
      'Naive paste',
      'mini · Text only',
      'mini · Subject only',
      'mini · both β 0.3 − RefineNet − Locate',
      'something new',
    ])
    expect(methodLabel('mini/both@0.25', de, 'de')).toBe('mini · beides β 0,25')
    expect(['scene', 'truth', 'fill'].map((what) => columnLabel(what, de, 'de'))).toEqual(['Szene', 'Wahres Bild', 'Nur füllen'])
  })

  it('writes a mean with its error, a difference with its sign, a count without either', () => {
    expect(estimate({ n: 4, mean: 0.8123, error: 0.0041 }, 3, 'en')).toBe('0.812 ± 0.004')
    expect(estimate({ n: 4, mean: 0.8123, error: 0.0041 }, 3, 'de')).toBe('0,812 ± 0,004')
    expect(estimate({ n: 4, mean: -0.05, error: 0.01 }, 2, 'en')).toBe('−0.05 ± 0.01')
    expect(estimate({ n: 4, mean: 0.05, error: 0.01 }, 2, 'en', true)).toBe('+0.05 ± 0.01')
    expect(estimate({ n: 4, mean: 0, error: 0 }, 0, 'en')).toBe('0')
    expect(estimate({ n: 4, mean: 0.25, error: 0.25 }, 0, 'en')).toBe('0.3 ± 0.3')
    expect(estimate({ n: 1, mean: 0.5, error: 0 }, 3, 'en')).toBe('0.500')
    expect(inErrors({ n: 4, mean: -0.05, error: 0.01 }, en, 'en')).toBe('5.0 se')
    expect(inErrors({ n: 1, mean: 1, error: 0 }, de, 'de')).toBe('keine Streuung')
  })
})

describe('the axis of a curve', () => {
  it('holds every whisker, the larger value higher, ticks inside', () => {
    const cells = [
      { n: 2, mean: 0.5, error: 0.02 },
      { n: 2, mean: 0.6, error: 0.01 },
    ]
    const { y, ticks } = scaleOf(cells, 256, 16)
    expect(y(0.6)).toBeLessThan(y(0.5))
    for (const { mean, error } of cells) for (const end of [mean - error, mean + error]) expect([y(end) > 16, y(end) < 256]).toEqual([true, true])
    expect(ticks.every((tick) => y(tick) > 16 && y(tick) < 256)).toBe(true)
    // One point, or points that are all the same, have an axis too.
    expect(scaleOf([{ n: 1, mean: 0.5, error: 0 }], 256, 16).y(0.5)).toBeCloseTo(136, 9)
  })
})
