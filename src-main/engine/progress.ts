/** What a job says while it runs. */
export interface ProgressReport {
  readonly stage: string
  readonly step: number
  readonly steps: number
  /** Share of the run that is done, 0 .. 1. */
  readonly fraction: number
  readonly secondsLeft: number | null
}

/**
 * Seconds per stage, and progress composed by slices: each stage is a slice of the whole as wide as the time it is expected to take. Expectations come from
 * the runs before, so the first run of a kind guesses and the next ones know.
 */
export class StageClock {
  private readonly seconds = new Map<string, number>()
  private readonly expected: ExpectedSeconds
  private readonly key: string
  private readonly report: (progress: ProgressReport) => void
  private readonly plan: readonly string[]
  /** A bar that runs backwards looks broken, so a late correction waits until it is caught up with. */
  private shown = 0

  /** @param key what makes runs alike, such as model and size @param plan stages in the order they will come */
  constructor(expected: ExpectedSeconds, key: string, plan: readonly string[], report: (progress: ProgressReport) => void) {
    this.expected = expected
    this.key = key
    this.plan = plan
    this.report = report
  }

  /**
   * Runs a stage and adds its seconds. `steps` work units; the work tells each that is done.
   * @param runs how many runs do the stage together: each counts its share of the seconds, so that those of all add up to what it took
   */
  async stage<T>(name: string, steps: number, work: (done: (step: number) => void) => Promise<T>, runs = 1): Promise<T> {
    const started = performance.now()
    const elapsed = (): number => (performance.now() - started) / 1000
    const tell = (step: number): void => {
      // Once a few steps are measured they tell more than earlier runs.
      const own = step >= 2 ? (elapsed() / step) * steps : Math.max(this.expectedFor(name, steps) * runs, elapsed())
      this.tell(name, step, steps, steps === 0 ? 0 : Math.min(1, step / steps), own)
    }
    tell(0)
    const result = await work(tell)
    this.seconds.set(name, (this.seconds.get(name) ?? 0) + elapsed() / runs)
    this.expected.learn(`${this.key} ${name}`, elapsed() / runs / Math.max(1, steps))
    return result
  }

  /** Seconds per stage, in order of first use, rounded to milliseconds. */
  totals(): Record<string, number> {
    return Object.fromEntries([...this.seconds].map(([name, value]) => [name, Math.round(value * 1000) / 1000]))
  }

  private expectedFor(name: string, steps: number): number {
    return (this.expected.of(`${this.key} ${name}`) ?? GUESSED_SECONDS) * Math.max(1, steps)
  }

  private tell(name: string, step: number, steps: number, share: number, own: number): void {
    const at = this.plan.indexOf(name)
    const before = this.plan.slice(0, at).reduce((sum, stage) => sum + (this.seconds.get(stage) ?? 0), 0)
    const after = this.plan.slice(at + 1).reduce((sum, stage) => sum + this.expectedFor(stage, 1), 0)
    const total = Math.max(1e-3, before + own + after)
    const known = step >= 2 || this.expected.of(`${this.key} ${name}`) !== null
    this.shown = Math.max(this.shown, Math.min(1, (before + own * share) / total))
    this.report({ stage: name, step, steps, fraction: this.shown, secondsLeft: known ? own * (1 - share) + after : null })
  }
}

const GUESSED_SECONDS = 0.3

/** Seconds a unit of work took, by name, averaged with newer runs weighing more. */
export class ExpectedSeconds {
  private readonly byName = new Map<string, number>()

  of(name: string): number | null {
    return this.byName.get(name) ?? null
  }

  learn(name: string, seconds: number): void {
    const old = this.byName.get(name)
    this.byName.set(name, old === undefined ? seconds : old * 0.5 + seconds * 0.5)
  }
}
