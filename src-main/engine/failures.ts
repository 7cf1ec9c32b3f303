import type { Failure } from '../contract/basics.ts'
import { UserError } from '../contract/errors.ts'

/** What a person is told of a failed job: a UserError's own line, or one line that says it is our defect. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return { code: error.code, message: oneLine(error.message) }
  const message = error instanceof Error ? error.message : String(error)
  if (/bad_alloc|out of memory|failed to allocate|Array buffer allocation failed|Invalid (typed )?array length/i.test(message)) {
    return { code: 'out-of-memory', message: 'The memory was not enough for this job; close other programs or choose a smaller size.' }
  }
  return { code: 'engine-error', message: `The engine failed: ${oneLine(message)}` }
}

function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, ' ').slice(0, 400)
}
