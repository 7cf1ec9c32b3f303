import type { Benchmark, Case } from '../benchmark.ts'
import type { Thumbnails } from './sheets.ts'
import type { Table } from './tables.ts'

/** Everything a report says, before it takes a form. */
export interface Report {
  readonly title: string
  readonly about: string
  readonly notes: readonly string[]
  readonly tables: readonly Table[]
  readonly curves: readonly { readonly file: string; readonly svg: string; readonly lines: readonly string[] }[]
  readonly sheets: readonly string[]
  readonly sheetColumns: readonly string[]
}

/** Facts that the notes need besides the summary. */
export interface ReportFacts {
  readonly benchmark: Benchmark
  /** Cases of this run; the first of them are on the sheets. */
  readonly cases: readonly Case[]
  readonly shown: readonly Case[]
  readonly thumbnails: Thumbnails
  /** Id of the model whose own encoders judged; null for a CLIP of its own. */
  readonly judgedBy: string | null
  readonly app: string
}
