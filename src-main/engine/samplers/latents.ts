/** a x + b y, entry by entry. */
export function mix(a: number, x: Float32Array, b: number, y: Float32Array): Float32Array {
  const out = new Float32Array(x.length)
  for (let i = 0; i < out.length; i++) out[i] = a * at(x, i) + b * at(y, i)
  return out
}

export function scale(a: number, x: Float32Array): Float32Array {
  return x.map((value) => a * value)
}

/** An entry that is known to exist: loops over whole latents run millions of times and stay inside by their own bound. */
export function at(x: Float32Array, i: number): number {
  return x[i] as number
}

/** Estimate of the clean latent from a noisy one z = alpha x_0 + sigma noise and the network's prediction of noise or velocity. */
export function cleanEstimate(prediction: 'epsilon' | 'v_prediction', alpha: number, sigma: number, noisy: Float32Array, output: Float32Array): Float32Array {
  return prediction === 'epsilon' ? mix(1 / alpha, noisy, -sigma / alpha, output) : mix(alpha, noisy, -sigma, output)
}
