import { ticks } from 'd3-array'
import type { EstimateCell } from '../../src-main/contract/evaluation.ts'

const TICKS = 5

/** An axis over means and their whiskers, with a little air and about five round numbers. @param bottom @param top in the picture's units; bottom is the larger */
export function scaleOf(
  cells: readonly EstimateCell[],
  bottom: number,
  top: number,
): { readonly y: (value: number) => number; readonly ticks: readonly number[] } {
  const ends = cells.flatMap(({ mean, error }) => [mean - error, mean + error])
  const air = Math.max(1e-3, (Math.max(...ends) - Math.min(...ends)) * 0.08)
  const [low, high] = [Math.min(...ends) - air, Math.max(...ends) + air]
  return {
    y: (value) => bottom - ((value - low) / (high - low)) * (bottom - top),
    ticks: ticks(low, high, TICKS),
  }
}
