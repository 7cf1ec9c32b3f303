/** A mean with what it is worth. */
export interface Estimate {
  readonly n: number
  readonly mean: number
  /** Standard error of the mean as if all cases were independent. */
  readonly standardError: number
  /** The same with cases that share a subject (or a scene: the larger of the two) counted as alike; null where there is one group only. */
  readonly groupedError: number | null
}

/** A measured value and what it shares with others. */
export interface Value {
  readonly value: number
  readonly subject: string
  readonly scene: string
}

/** Null without values. */
export function estimate(values: readonly Value[]): Estimate | null {
  const n = values.length
  if (n === 0) return null
  const mean = values.reduce((sum, { value }) => sum + value, 0) / n
  const squares = values.reduce((sum, { value }) => sum + (value - mean) ** 2, 0)
  const errors = [groupedError(values, mean, ({ subject }) => subject), groupedError(values, mean, ({ scene }) => scene)].filter((each) => each !== null)
  return { n, mean, standardError: n > 1 ? Math.sqrt(squares / (n - 1) / n) : 0, groupedError: errors.length === 0 ? null : Math.max(...errors) }
}

/** Cluster-robust standard error of a mean (Liang and Zeger 1986), with the usual G / (G - 1) for few groups. */
function groupedError(values: readonly Value[], mean: number, groupOf: (value: Value) => string): number | null {
  const sums = new Map<string, number>()
  for (const value of values) sums.set(groupOf(value), (sums.get(groupOf(value)) ?? 0) + value.value - mean)
  if (sums.size < 2) return null
  const squares = [...sums.values()].reduce((sum, each) => sum + each * each, 0)
  return (Math.sqrt(squares) / values.length) * Math.sqrt(sums.size / (sums.size - 1))
}

/** The mean difference `after - before` over the keys that both have. */
export function pairedDifference(before: ReadonlyMap<string, Value>, after: ReadonlyMap<string, Value>): Estimate | null {
  const differences: Value[] = []
  for (const [key, value] of after) {
    const other = before.get(key)
    if (other !== undefined) differences.push({ ...value, value: value.value - other.value })
  }
  return estimate(differences)
}
