import type { Outputs } from './case-runner.ts'
import { largestDifference } from './compare.ts'
import type { ReferenceArray } from './image-cases.ts'
import type { ReferenceCase } from './reference-set.ts'

/** Output by output the one of two results that is farther from what is expected. */
export async function farther(one: ReferenceCase, first: Outputs, second: Outputs): Promise<Outputs> {
  const worst: Record<string, ReferenceArray> = {}
  for (const { name } of one.outputs) {
    const expected = await one.expected(name)
    const distance = (array: ReferenceArray | undefined) => (array === undefined ? Infinity : largestDifference(array.data, expected.data))
    const [a, b] = [first[name], second[name]]
    const chosen = distance(a) >= distance(b) ? a : b
    if (chosen !== undefined) worst[name] = chosen
  }
  return worst
}
