import type { Samples } from '../pixels/tile-grid.ts'

/**
 * Tiles in a file hold differences: each sample minus the same channel of the pixel to its left, modulo the depth; 16-bit differences as all low bytes,
 * then all high bytes. Photos deflate to about two thirds of what the plain samples take.
 */
export function filterTile(samples: Samples, tileSide: number): Uint8Array {
  const differences = samples instanceof Uint8Array ? new Uint8Array(samples.length) : new Uint16Array(samples.length)
  const rowSamples = tileSide * 4
  for (let start = 0; start < samples.length; start += rowSamples) {
    for (let at = start; at < start + 4; at++) differences[at] = samples[at] as number
    for (let at = start + 4; at < start + rowSamples; at++) differences[at] = (samples[at] as number) - (samples[at - 4] as number)
  }
  if (differences instanceof Uint8Array) return differences
  const planes = new Uint8Array(differences.length * 2)
  for (let at = 0; at < differences.length; at++) {
    const value = differences[at] as number
    planes[at] = value & 0xff
    planes[differences.length + at] = value >> 8
  }
  return planes
}

/** The samples of a filtered tile, exactly. */
export function unfilterTile(filtered: Uint8Array, depth: 8 | 16, tileSide: number): Samples {
  const count = depth === 8 ? filtered.length : filtered.length / 2
  const samples = depth === 8 ? new Uint8Array(count) : new Uint16Array(count)
  if (depth === 8) samples.set(filtered)
  else for (let at = 0; at < count; at++) samples[at] = (filtered[at] as number) | ((filtered[count + at] as number) << 8)
  const rowSamples = tileSide * 4
  for (let start = 0; start < count; start += rowSamples) {
    for (let at = start + 4; at < start + rowSamples; at++) samples[at] = (samples[at] as number) + (samples[at - 4] as number)
  }
  return samples
}
