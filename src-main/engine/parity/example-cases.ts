import type { Bench } from './bench.ts'
import { networkCases } from './network-cases.ts'
import { examplePipelineCase } from './pipeline-case.ts'
import type { ReferenceCase } from './reference-set.ts'
import type { Outputs } from './case-runner.ts'

/** Paint-by-Example: its condition, its U-Net with scene and mask in its own order, and whole runs. */
export async function exampleCases(bench: Bench, one: ReferenceCase): Promise<Outputs> {
  if (one.name.startsWith('pipeline')) return examplePipelineCase(bench, one)
  if (!one.name.startsWith('example')) return networkCases(bench, one)
  const model = await bench.model()
  const { last } = await model.encodeVision(await one.tensor('pixels'))
  return { ...(await model.exampleTokens(last)) }
}
