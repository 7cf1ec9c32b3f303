import { describe, expect, it } from 'vitest'
import { samplerNameSchema } from '../../../../src-main/contract/recipe.ts'
import { mix, scale } from '../../../../src-main/engine/samplers/latents.ts'
import { sample } from '../../../../src-main/engine/samplers/sample.ts'
import { createSampler } from '../../../../src-main/engine/samplers/create-sampler.ts'
import { firstStep } from '../../../../src-main/engine/samplers/sampler.ts'
import { NoiseSchedule, roundEven, spacedTimesteps, stableDiffusionSchedule } from '../../../../src-main/engine/samplers/schedule.ts'
import { fractionalTimes } from '../../../../src-main/engine/samplers/ddim.ts'
import { scheduleOf } from '../../../../src-main/engine/weights/layouts.ts'
import recorded from './diffusers-runs.json' with { type: 'json' }

const largest = (got: ArrayLike<number>, expected: ArrayLike<number>) =>
  Math.max(...Array.from({ length: expected.length }, (_, i) => Math.abs((got[i] ?? NaN) - (expected[i] ?? NaN))))

describe('solvers give what diffusers gives', () => {
  for (const run of recorded.runs) {
    const { prediction_type, timestep_spacing, rescale_betas_zero_snr } = {
      prediction_type: 'epsilon',
      timestep_spacing: '',
      rescale_betas_zero_snr: false,
      ...run.config,
    }
    it(`${run.sampler}, ${run.steps} steps, ${timestep_spacing}, ${prediction_type}${rescale_betas_zero_snr ? ', zero terminal SNR' : ''}`, async () => {
      const sampler = createSampler(samplerNameSchema.parse(run.sampler), scheduleOf('the recorded run', run.config), run.steps)
      const fixed = Float32Array.from(recorded.fixed)
      const latents: number[][] = []
      let drawn = 0
      await sample({
        sampler,
        latent: scale(sampler.initialScale, Float32Array.from(recorded.noise)),
        predict: ({ timestep, input }) => Promise.resolve(mix(0.9, input, 0.4 * (0.5 + timestep / 1000), fixed)),
        noise: () => Float32Array.from(recorded.fresh[drawn++] ?? []),
        onStep: ({ latent }) => void latents.push([...latent]),
      })
      expect([...sampler.timesteps]).toEqual(run.timesteps.map(Math.fround))
      const peak = Math.max(...run.latents.flat().map(Math.abs))
      expect(largest(latents.flat(), run.latents.flat())).toBeLessThan(2e-5 * Math.max(1, peak))
    })
  }
})

describe('the forward process', () => {
  it('ends in pure noise with zero terminal SNR and keeps its first level', () => {
    const plain = new NoiseSchedule(stableDiffusionSchedule)
    const zero = new NoiseSchedule({ ...stableDiffusionSchedule, zeroTerminalSnr: true })
    expect(zero.at(999)).toEqual({ alpha: 0, sigma: 1 })
    expect(zero.product(0)).toBeCloseTo(plain.product(0), 6)
    expect(plain.product(999)).toBeCloseTo(0.0047, 4)
    expect(() => plain.at(1000)).toThrow(/outside 0..999/)
  })

  it('rounds halves to even', () => {
    expect([0.5, 1.5, 2.5, 2.4, 2.6].map(roundEven)).toEqual([0, 2, 2, 2, 3])
  })

  it('spaces steps as diffusers does', () => {
    expect(spacedTimesteps(stableDiffusionSchedule, 4)).toEqual([751, 501, 251, 1])
    expect(spacedTimesteps({ ...stableDiffusionSchedule, spacing: 'trailing' }, 4)).toEqual([999, 749, 499, 249])
    expect(spacedTimesteps({ ...stableDiffusionSchedule, spacing: 'linspace' }, 4)).toEqual([999, 666, 333, 0])
  })

  it('keeps the fractional times of LAR-Gen, with one step more where float noise gives it', () => {
    const config = { ...stableDiffusionSchedule, spacing: 'trailing-fractional' as const }
    expect(fractionalTimes(config, 3).map((t) => Math.round(t * 100) / 100)).toEqual([999, 665.67, 332.33])
    expect(fractionalTimes(config, 61)).toHaveLength(62)
    expect(createSampler('ddim', config, 3).timesteps).toEqual([999, 666, 332])
  })
})

describe('the loop', () => {
  const config = { ...stableDiffusionSchedule, spacing: 'trailing' as const }
  const latent = Float32Array.of(1, -1, 0.5, 2)

  it('starts late for a strength below one', () => {
    expect([1, 0.75, 0.5, 0.3, 0].map((strength) => firstStep(20, strength))).toEqual([0, 5, 10, 14, 19])
  })

  it('shows the network the scene outside the mask and goes on from the unblended latent', async () => {
    const sampler = createSampler('ddim', config, 2)
    const scene = Float32Array.of(9, 9, 9, 9)
    const mask = Float32Array.of(1, 0)
    const seen: Float32Array[] = []
    const blended = await sample({
      sampler,
      latent,
      known: { latent: scene, mask, noise: () => new Float32Array(4) },
      predict: ({ input }) => {
        seen.push(input)
        return Promise.resolve(new Float32Array(4))
      },
    })
    const { alpha } = new NoiseSchedule(config).at(999)
    expect([...(seen[0] ?? [])]).toEqual([1, Math.fround(alpha * 9), 0.5, Math.fround(alpha * 9)])
    const plain = await sample({ sampler, latent, predict: () => Promise.resolve(new Float32Array(4)) })
    expect(blended[0]).toBe(plain[0])
    expect(blended[1]).not.toBe(plain[1])
  })

  it('ends when a listener throws, which is how a cancel works', async () => {
    let steps = 0
    const run = sample({
      sampler: createSampler('ddim', config, 10),
      latent,
      predict: () => Promise.resolve(new Float32Array(4)),
      onStep: () => {
        if (++steps === 3) throw new Error('cancelled')
      },
    })
    await expect(run).rejects.toThrow('cancelled')
    expect(steps).toBe(3)
  })

  it('refuses more LCM steps than the model was distilled for', () => {
    expect(() => createSampler('lcm', config, 51)).toThrow(/at most 50/)
  })
})
