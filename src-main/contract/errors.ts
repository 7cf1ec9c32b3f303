/**
 * An error whose message may be shown to a person as it is: one line that says what was wrong, where, and what was expected.
 * Everything else that is thrown is a defect of ours and is reported as such.
 */
export class UserError extends Error {
  override readonly name = 'UserError'
  /** Stable short word for programs, such as `bad-image` or `model-missing`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}
