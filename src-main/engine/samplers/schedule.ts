/** The forward process a model was trained with, in the words of diffusers' scheduler configs. */
export interface ScheduleConfig {
  readonly trainTimesteps: number
  readonly betaStart: number
  readonly betaEnd: number
  readonly betaSchedule: 'scaled_linear' | 'linear'
  readonly prediction: 'epsilon' | 'v_prediction'
  readonly spacing: 'leading' | 'trailing' | 'linspace'
  readonly stepsOffset: number
  /** The last DDIM step goes to alpha 1 (true) or to the first table entry (false). */
  readonly setAlphaToOne: boolean
  /** Rescales the table so that the last timestep is pure noise (Lin et al. 2023, algorithm 1). */
  readonly zeroTerminalSnr: boolean
}
