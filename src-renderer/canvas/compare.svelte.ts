import { clamp } from './geometry.ts'

/** How two states of the picture are set against one another. */
export class CompareState {
  /** `split` draws a line with a handle: before on its left, now on its right. */
  mode = $state<'off' | 'split'>('off')
  /** Place of the line as a share of the picture's width, 0..1. */
  #position = $state(0.5)
  /** Turn on the left; null is what is there without the candidate, or the turn before when there is none. */
  turn = $state<string | null>(null)
  /** The key for "before" is held down. */
  holding = $state(false)

  get position(): number {
    return this.#position
  }

  set position(value: number) {
    this.#position = clamp(value, 0, 1)
  }

  toggle(): void {
    if (this.mode === 'split') this.stop()
    else {
      this.turn = null
      this.mode = 'split'
    }
  }

  withTurn(turn: string): void {
    this.turn = turn
    this.mode = 'split'
  }

  stop(): void {
    this.mode = 'off'
    this.turn = null
  }
}
