import { UserError } from '../../contract/errors.ts'
import type { Bench } from './bench.ts'
import type { ReferenceArray } from './image-cases.ts'
import type { ReferenceCase } from './reference-set.ts'

/** What a case was computed to, by output. */
export type Outputs = Readonly<Record<string, ReferenceArray>>
export type Runner = (bench: Bench, one: ReferenceCase) => Promise<Outputs>

/** For a case that no function computes. */
export function unknownCase(bench: Bench, one: ReferenceCase): UserError {
  return new UserError('unknown-case', `no computation is known for case "${one.name}" of a set "${bench.set.kind}"`)
}
