import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ldmUnet } from '../../../src-main/engine/weights/ldm-unet.ts'
import { ldmVae } from '../../../src-main/engine/weights/ldm-vae.ts'
import { openSafetensors } from '../../../src-main/engine/weights/safetensors.ts'
import { sourceOf, type TensorSource } from '../../../src-main/engine/weights/tensor-source.ts'
import { originalUnetName, originalVaeName } from '../../bench/weights/original-names.ts'
import { halfBits, writeRandomFile } from '../../bench/weights/random-file.ts'
import { clipVisionShapes, unetShapes, vaeShapes, type Shape } from '../../bench/weights/shapes.ts'

function numbersIn(shapes: readonly Shape[]): number {
  return shapes.reduce((sum, { sides }) => sum + sides.reduce((product, side) => product * side, 1), 0)
}

function source(shapes: readonly Shape[]): TensorSource {
  return sourceOf('test', new Map(shapes.map(({ name, sides }) => [name, { name, file: '/f', offset: 0, bytes: 0, dtype: 'F32' as const, shape: sides }])))
}

describe('shapes of full size', () => {
  it('have as many numbers as the published networks', () => {
    expect(numbersIn(unetShapes(9))).toBe(859_535_364)
    expect(numbersIn(unetShapes(4))).toBe(859_520_964)
    expect(numbersIn(vaeShapes())).toBe(83_653_863)
    expect(numbersIn(clipVisionShapes())).toBe(632_076_800)
  })

  it('are the same network under the original names, as the engine reads those', () => {
    const facts = { groups: 32, transformerEpsilon: 1e-6, heads: () => 8, sizeWidth: 256 }
    const unet = ldmUnet(source(unetShapes(9).map((shape) => ({ ...shape, name: originalUnetName(shape.name) }))), facts)
    expect([...unet.weights.names()]).toEqual(unetShapes(9).map(({ name }) => name))
    expect(unet.config).toMatchObject({ in_channels: 9, block_out_channels: [320, 640, 1280, 1280], cross_attention_dim: 768 })
    const vae = ldmVae(source(vaeShapes().map((shape) => ({ ...shape, name: originalVaeName(shape.name) }))), { groups: 32, scalingFactor: 0.18215 })
    expect([...vae.weights.names()]).toEqual(vaeShapes().map(({ name }) => name))
    expect(() => originalUnetName('decoder.conv_in.weight')).toThrow('is no tensor of a U-Net')
  })
})

describe('a file of random numbers', () => {
  const shapes: Shape[] = [
    { name: 'a.weight', sides: [64, 32, 3, 3] },
    { name: 'norm.weight', sides: [7] },
  ]

  it('is the same for the same seed, keeps the scale of what goes through, and rounds to 16 bits', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bench-weights-'))
    try {
      const [one, two, half] = [join(folder, '1.safetensors'), join(folder, '2.safetensors'), join(folder, 'h.safetensors')]
      await writeRandomFile(one, shapes, 'fp32', 1)
      await writeRandomFile(two, shapes, 'fp32', 1)
      await writeRandomFile(half, shapes, 'fp16', 1)
      expect(await readFile(one)).toEqual(await readFile(two))
      const ref = (await openSafetensors(one)).find('a.weight')
      const bytes = await readFile(one)
      const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + (ref?.offset ?? 0), bytes.byteOffset + (ref?.offset ?? 0) + (ref?.bytes ?? 0)))
      const variance = values.reduce((sum, value) => sum + value * value, 0) / values.length
      expect(variance * 32 * 9).toBeCloseTo(1, 1)
      expect((await openSafetensors(half)).find('a.weight')).toMatchObject({ dtype: 'F16', shape: [64, 32, 3, 3] })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('writes half floats as the format has them', () => {
    expect([1, -2, 0.5, 0, 1e-9, 1.0009765625, 65504, 1.9999].map(halfBits)).toEqual([0x3c00, 0xc000, 0x3800, 0, 0, 0x3c01, 0x7bff, 0x4000])
  })
})
