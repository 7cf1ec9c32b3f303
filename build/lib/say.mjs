/** Progress goes to stderr, one line a step, so that stdout stays free for what a command is asked to print. */
export function say(line) {
  process.stderr.write(`larkspur: ${line}\n`)
}

/** A line that is written over itself on a terminal and only now and then elsewhere. */
export function progressLine(label) {
  let shown = -1
  return {
    at(done, total) {
      const percent = total > 0 ? Math.floor((done / total) * 100) : 0
      if (process.stderr.isTTY) {
        if (percent === shown) return
        process.stderr.write(`\rlarkspur: ${label} ${percent} % of ${Math.round(total / 1e6)} MB `)
      } else {
        if (shown >= 0 && percent < shown + 25) return
        say(`${label} ${percent} % of ${Math.round(total / 1e6)} MB`)
      }
      shown = percent
    },
    end() {
      if (process.stderr.isTTY && shown >= 0) process.stderr.write('\n')
    },
  }
}

/** Stops the script with one line that says what was wrong and what was expected. */
export class PrepareError extends Error {}
