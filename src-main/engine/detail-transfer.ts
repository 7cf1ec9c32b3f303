import { boxMean } from './image/masks.ts'
import type { Samples } from './image/raster.ts'

/** What a result says of the guide, at the model's size; smooth enough to be enlarged. */
export interface Relighting {
  /** How the model relit and recoloured the subject: mean of R - D over 13 x 13 of the subject's pixels alone, RGB levels. */
  readonly light: Samples
  /** The factor less 1 by which it darkened the surroundings, -0.8 .. 0; one channel. */
  readonly shadow: Samples
  /** exp(-moved / 20): 1 where the subject only changed its light, towards 0 where its content did; one channel. */
  readonly steady: Samples
}

const LIGHT_SIDE = 13
const NEAR_SIDE = 5
const FAR_SIDE = 17
/** Levels of moved content at which 1 / e of the guide is left. */
const CONTENT_LEVELS = 20
/** Darkening below this many levels is taken for noise. */
const SHADOW_FLOOR = 6
const DEEPEST_SHADOW = -0.8
/** Surroundings darker than this would make a factor of nothing. */
const DARKEST_GROUND = 20

/**
 * Reads from a result, against what the VAE made of the guide, how the guide has to be relit. Subject and surroundings are averaged apart, so neither leaks over the
 * cut-out's rim: over_n(X, w) = box_n(w X) / box_n(w). For the surroundings only a shadow is taken, no colour and no texture.
 * @param result R, decoded, RGB 0 .. 255 @param throughVae D, the guide encoded and decoded @param guide G @param coverage A of the cut-out in it, 0 .. 1; all of one size
 */
export function compareWithGuide(result: Samples, throughVae: Samples, guide: Samples, coverage: Samples): Relighting {
  const { width, height } = result
  const subject = coverage.values
  const ground = subject.map((value) => 1 - value)
  const difference = result.values.map((value, at) => value - throughVae.values[at]!)
  const over = (values: Float32Array, weights: Float32Array, side: number): Float32Array => meanWithin(values, weights, width, height, side)
  const near = over(difference, subject, NEAR_SIDE)
  const far = over(difference, subject, FAR_SIDE)
  const moved = grey(near.map((value, at) => Math.abs(value - far[at]!)))
  const darker = grey(over(difference, ground, LIGHT_SIDE)).map((value) => floored(Math.min(0, value)))
  const groundLight = grey(over(guide.values, ground, LIGHT_SIDE))
  return {
    light: { width, height, channels: 3, values: over(difference, subject, LIGHT_SIDE) },
    shadow: { width, height, channels: 1, values: darker.map((value, at) => Math.max(DEEPEST_SHADOW, value / Math.max(groundLight[at]!, DARKEST_GROUND))) },
    steady: { width, height, channels: 1, values: moved.map((value) => Math.exp(-value / CONTENT_LEVELS)) },
  }
}

/**
 * The guide with its own fine detail, relit as the result asks: on the subject where its content stayed, beside it the filled scene under the model's shadow.
 * lit = clip(G (1 + B shadow) + A light), agree = share (A steady + B), out = agree lit + (1 - agree) R with B = 1 - A.
 * All rasters of one size, which may be finer than the model's: fine G and A then keep detail and rim sharp.
 * @param guide G, RGB 0 .. 255 @param coverage A, 0 .. 1 @param share detailTransfer, 0 .. 1
 */
export function transferDetail(result: Samples, guide: Samples, coverage: Samples, { light, shadow, steady }: Relighting, share: number): Samples {
  const values = new Float32Array(result.values.length)
  for (let at = 0; at < values.length; at++) {
    const pixel = Math.floor(at / 3)
    const subject = coverage.values[pixel]!
    const ground = 1 - subject
    const lit = Math.min(255, Math.max(0, guide.values[at]! * (1 + ground * shadow.values[pixel]!) + subject * light.values[at]!))
    const agree = share * (subject * Math.min(1, Math.max(0, steady.values[pixel]!)) + ground)
    values[at] = agree * lit + (1 - agree) * result.values[at]!
  }
  return { ...result, values }
}

/** box(w x) / box(w): the mean of the pixels that `weights` counts; RGB. */
function meanWithin(values: Float32Array, weights: Float32Array, width: number, height: number, side: number): Float32Array {
  const radius = (side - 1) / 2
  const sum = boxMean(
    values.map((value, at) => value * weights[Math.floor(at / 3)]!),
    width,
    height,
    3,
    radius,
  )
  const weight = boxMean(weights, width, height, 1, radius)
  return sum.map((value, at) => value / Math.max(weight[Math.floor(at / 3)]!, 1e-3))
}

/** Mean over RGB. */
function grey(values: Float32Array): Float32Array {
  return Float32Array.from({ length: values.length / 3 }, (_, at) => (values[at * 3]! + values[at * 3 + 1]! + values[at * 3 + 2]!) / 3)
}

function floored(dark: number): number {
  return (dark * dark * dark) / (dark * dark + SHADOW_FLOOR * SHADOW_FLOOR)
}
