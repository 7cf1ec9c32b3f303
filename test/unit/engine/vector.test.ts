import { describe, expect, it } from 'vitest'
import { tensor } from '../../../src-main/engine/runtime/tensor.ts'
import { vectorCondition, wholePicture } from '../../../src-main/engine/vector.ts'

describe("SDXL's vector condition", () => {
  const pooled = tensor(Float32Array.of(5, 6, 7, 8), [2, 2])

  it('is the pooled text, then cosines and sines of each size', () => {
    const { shape, data } = vectorCondition(pooled, wholePicture(64, 32), 4)
    expect(shape).toEqual([2, 26])
    const row = [...data.subarray(26)]
    expect(row.slice(0, 2)).toEqual([7, 8])
    const expected = [64, 32, 0, 0, 64, 32].flatMap((size) => [Math.cos(size), Math.cos(size / 100), Math.sin(size), Math.sin(size / 100)])
    expected.forEach((value, i) => expect(row[2 + i]).toBeCloseTo(value, 5))
  })

  it('takes sizes for each entry, and no other number of them', () => {
    const each = tensor(Float32Array.of(1, 1, 0, 0, 1, 1, 2, 2, 0, 0, 2, 2), [2, 6])
    const { data } = vectorCondition(pooled, each, 2)
    expect(data[2]).toBeCloseTo(Math.cos(1), 6)
    expect(data[16]).toBeCloseTo(Math.cos(2), 6)
    expect(() => vectorCondition(pooled, tensor(new Float32Array(8), [2, 4]), 2)).toThrow(RangeError)
  })
})
