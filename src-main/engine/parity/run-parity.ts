import { UserError } from '../../contract/errors.ts'
import { CPU, type Device } from '../runtime/device.ts'
import { openBench } from './bench.ts'
import { compareOutput, type OutputResult } from './compare.ts'
import { RESIZED_OUTPUTS } from './image-cases.ts'
import { openReferenceSet, type ReferenceCase } from './reference-set.ts'
import { runCase } from './runners.ts'

export interface CaseResult {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
  readonly outputs: readonly OutputResult[]
  /** Why the case could not be computed. */
  readonly failure: string | null
}

export interface SetResult {
  readonly set: string
  readonly folder: string
  readonly passed: number
  readonly failed: number
  readonly cases: readonly CaseResult[]
}

export interface ParityOptions {
  readonly device?: Device
  /** Relative tolerance that every output has at least: providers other than cpu add up in other orders. */
  readonly atLeast?: number
  /** Folder of the model, for sets that bring none of their own. */
  readonly model?: string
  /** Runs the cases whose names it accepts. */
  readonly only?: (name: string) => boolean
  readonly onCase?: (result: CaseResult) => void
}

/**
 * Runs every case of a reference set.
 * @throws UserError when the folder holds no set; a case that cannot be computed is a failed case
 */
export async function runParity(folder: string, options: ParityOptions = {}): Promise<SetResult> {
  const set = await openReferenceSet(folder)
  const bench = openBench(set, options.device ?? CPU, options.model)
  const cases: CaseResult[] = []
  try {
    for (const one of set.cases) {
      if (options.only?.(one.name) === false) continue
      const start = performance.now()
      const judged = await judge(one, () => runCase(bench, one), options.atLeast)
      const result = { name: one.name, ...judged, seconds: (performance.now() - start) / 1000 }
      options.onCase?.(result)
      cases.push(result)
    }
  } finally {
    await bench.release()
  }
  const passed = cases.filter((result) => result.passed).length
  return { set: set.kind, folder: set.folder, passed, failed: cases.length - passed, cases }
}

/** Computes one case and compares its outputs. */
export async function judge(
  one: ReferenceCase,
  run: () => ReturnType<typeof runCase>,
  widest = 0,
): Promise<Pick<CaseResult, 'passed' | 'outputs' | 'failure'>> {
  try {
    const got = await run()
    const outputs: OutputResult[] = []
    for (const { name, exact } of one.outputs) {
      const expected = await one.expected(name)
      // Pictures in 8 bit were rounded after a resize or a decode: one grey level may tip over.
      const atLeast = Math.max(RESIZED_OUTPUTS[name] ?? 0, expected.data instanceof Uint8Array ? 1 : 0)
      outputs.push(compareOutput(name, got[name], expected, { ...one.tolerance, rtol: Math.max(one.tolerance.rtol, widest), exact, atLeast }))
    }
    return { passed: outputs.every((output) => output.passed), outputs, failure: null }
  } catch (error) {
    const known = error instanceof UserError ? error.message : String(error)
    return { passed: false, outputs: [], failure: known.split('\n')[0] ?? known }
  }
}
