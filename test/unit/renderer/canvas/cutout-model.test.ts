import { describe, expect, it } from 'vitest'
import { CutoutModel } from '../../../../src-renderer/canvas/cutout-model.svelte.ts'

const tip = { sizePx: 40, hardness: 1, spacing: 0.15 }
const at = (x: number, y: number) => ({ x, y, pressure: 1 })

describe('CutoutModel', () => {
  it('gives back what it was given, over several tiles', () => {
    const coverage = Uint8Array.from({ length: 700 * 530 }, (_, i) => (i * 7) % 256)
    expect(new CutoutModel(700, 530, coverage).coverage()).toEqual(coverage)
  })

  it('takes the whole picture where there is no cut-out', () => {
    expect(new CutoutModel(30, 20, null).coverage().every((value) => value === 255)).toBe(true)
  })

  it('erases, shows the stroke in the hand, and takes it back', () => {
    const model = new CutoutModel(600, 600, null)
    const changed = model.start('subtract', tip, at(510, 300))!
    expect(changed.w).toBeGreaterThanOrEqual(40)
    expect(model.read({ x: 500, y: 300, w: 20, h: 1 }).every((value) => value === 0)).toBe(true)
    model.extend(at(510, 380))
    model.finish()
    expect(model.coverage()[350 * 600 + 510]).toBe(0)
    expect(model.undoable).toBe(true)
    model.undo()
    expect(model.coverage()[350 * 600 + 510]).toBe(255)
    expect(model.undoable).toBe(false)
  })

  it('knows when nothing is left', () => {
    const model = new CutoutModel(30, 20, null)
    model.setAll(false)
    expect(model.empty).toBe(true)
    model.undo()
    expect(model.empty).toBe(false)
  })
})
