import type { ProgressReport } from '../engine/progress.ts'

/** What a command says: results on stdout, everything else on stderr. */
export interface Console {
  /** A line of the result for a person; goes to stderr when a program reads stdout. */
  line(text: string): void
  /** A line about the work. */
  note(text: string): void
  /** The one JSON object of `--json`. */
  object(value: unknown): void
  progress(label: string): (report: ProgressReport) => void
}

export function consoleFor(json: boolean): Console {
  const note = (text: string): void => void process.stderr.write(`${text}\n`)
  return {
    line: (text) => void (json ? process.stderr : process.stdout).write(`${text}\n`),
    note,
    object: (value) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`)
    },
    progress: (label) => {
      let shown = ''
      return ({ stage, step, steps, fraction, secondsLeft }) => {
        const left = secondsLeft === null ? '' : `, ${secondsLeft.toFixed(1)} s left`
        const text = `${label}${stage}${steps > 1 ? ` ${step}/${steps}` : ''} ${Math.round(fraction * 100)} %${left}`
        if (text === shown) return
        shown = text
        if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${text}`)
        else if (step === 0 || step === steps) note(text)
        if (process.stderr.isTTY && stage === 'score' && step === steps) process.stderr.write('\r\u001b[K')
      }
    },
  }
}
