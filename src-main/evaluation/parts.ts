import { join } from 'node:path'
import type { Case } from './benchmark.ts'
import type { Method } from './methods.ts'
import { ResultFile, type Header, type Result } from './results.ts'

/** One of `count` parts of the cases, for evaluations that are spread over processes. */
export interface Part {
  /** 1 .. count */
  readonly number: number
  readonly count: number
}

/** Cases are dealt out like cards: their order is that of a hash, so parts take about equally long. */
export function casesOf(part: Part, cases: readonly Case[]): Case[] {
  return cases.filter((_, at) => at % part.count === part.number - 1)
}

/** Where a part keeps its results until they are put together. */
export function partFolder(out: string, { number, count }: Part): string {
  return join(out, '.parts', `${number}-of-${count}`)
}

/** Takes over what the parts have found, in the order in which one process would have found it: models, then cases, then a case's methods. */
export async function adoptParts(
  results: ResultFile,
  folders: readonly string[],
  header: Header,
  { methods, cases }: { readonly methods: readonly Method[]; readonly cases: readonly Case[] },
): Promise<void> {
  const models = [...new Set(methods.map(({ model }) => model))]
  const rank = new Map<string, readonly number[]>()
  for (const [which, { name, model }] of methods.entries()) {
    for (const [at, { id }] of cases.entries()) rank.set(keyOf(id, name), [models.indexOf(model), at, which])
  }
  const known = new Set(results.results.map(({ case: one, method }) => keyOf(one, method)))
  const found: Result[] = []
  for (const folder of folders) {
    const part = await ResultFile.open(folder, header)
    await part.close()
    found.push(...part.results.filter(({ case: one, method }) => rank.has(keyOf(one, method)) && !known.has(keyOf(one, method))))
  }
  const place = ({ case: one, method }: Result): readonly number[] => rank.get(keyOf(one, method)) ?? []
  for (const result of found.sort((a, b) => compare(place(a), place(b)))) await results.add(result)
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, place) => value !== b[place])
  return at === -1 ? 0 : a[at]! - b[at]!
}

function keyOf(one: string, method: string): string {
  return JSON.stringify([one, method])
}
