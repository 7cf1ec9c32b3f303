/** Seconds, bytes and counts of one case, by what was measured; several numbers are repetitions. */
export type Measured = Readonly<Record<string, readonly number[]>>

/** Results by case. */
export type Results = ReadonlyMap<string, Measured>

/** Names of the ratios, in the order in which they are told; null where a case was not run. */
export const ratioNames = [
  'engineOverhead',
  'unetOverExported',
  'stripOfFiveExact',
  'stripOfFiveBalanced',
  'betaRetry',
  'largenBalancedOverDiffusers',
  'sdiipaBalancedOverDiffusers',
  'peakMemoryOverWeights',
] as const
export type RatioName = (typeof ratioNames)[number]

export interface Ratio {
  readonly value: number
  /** The case it was measured in. */
  readonly from: string
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  if (sorted.length === 0) throw new RangeError('there is no middle of no values')
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The ratios that these results give. Cases of full size count before those of the bundled model. */
export function ratiosOf(results: Results): Record<RatioName, Ratio | null> {
  const over = (one: string, top: string, below: string): Ratio | null => {
    const measured = results.get(one)
    const [above, under] = [measured?.[top], measured?.[below]]
    return above === undefined || under === undefined ? null : { value: median(above) / median(under), from: one }
  }
  const either = (part: string, top: string, below: string): Ratio | null => over(`full ${part}`, top, below) ?? over(`mini ${part}`, top, below)
  return {
    engineOverhead: over('full largen exact', 'job', 'networks') ?? over('mini overhead', 'job', 'networks'),
    unetOverExported: over('full unet exported', 'ours', 'exported'),
    stripOfFiveExact: either('strip exact', 'strip', 'singles'),
    stripOfFiveBalanced: either('strip balanced', 'strip', 'singles'),
    betaRetry: over('mini beta retry', 'retry', 'first'),
    largenBalancedOverDiffusers: overDiffusers(results, 'full largen balanced'),
    sdiipaBalancedOverDiffusers: overDiffusers(results, 'full sdiipa balanced'),
    peakMemoryOverWeights: over('full largen exact', 'peak', 'weights'),
  }
}

/** Over the better of what diffusers takes in 32-bit and in 16-bit floats. */
function overDiffusers(results: Results, ours: string): Ratio | null {
  const job = results.get(ours)?.['job']
  const theirs = ['fp32', 'bf16'].flatMap((type) => results.get(`full sdiipa diffusers ${type}`)?.['job'] ?? [])
  const both = ['fp32', 'bf16'].every((type) => results.has(`full sdiipa diffusers ${type}`))
  return job === undefined || !both ? null : { value: median(job) / Math.min(...theirs), from: ours }
}
