import { join } from 'node:path'
import { writeFileWhole } from '../../pictures/files.ts'
import type { Summary } from '../summary.ts'
import { htmlReport } from './html.ts'
import { markdownReport } from './markdown.ts'
import { betaPlot } from './plot.ts'
import type { Report, ReportFacts } from './report.ts'
import { writeSheets } from './sheets.ts'
import { wordedTables } from './tables.ts'
import { curveLines, noteLines } from './words.ts'

/** Writes summary.json, report.md, report.html, the plots and the contact sheets. @returns the path of the HTML */
export async function writeReport(out: string, summary: Summary, facts: ReportFacts): Promise<string> {
  const methods = summary.methods.map(({ method }) => method)
  const sheetColumns = ['scene', 'subject', ...(facts.shown.some(({ truthFile }) => truthFile !== null) ? ['truth'] : []), ...methods]
  const ids = facts.shown.map(({ id }) => id)
  const report: Report = {
    title: `Evaluation: ${facts.benchmark.name}`,
    about: facts.benchmark.about,
    notes: noteLines(summary, facts),
    tables: wordedTables(summary),
    curves: summary.curves.map((curve) => ({
      file: `beta-${curve.model.replace(/[^A-Za-z0-9-]+/g, '-')}${curve.over === 'all' ? '' : '-disagreeing'}.svg`,
      svg: betaPlot(curve),
      lines: curveLines(curve),
    })),
    sheets: await writeSheets(out, facts.thumbnails, ids, sheetColumns),
    sheetColumns,
  }
  const put = async (name: string, text: string): Promise<void> => await writeFileWhole(join(out, name), new TextEncoder().encode(text))
  for (const { file, svg } of report.curves) await put(file, svg)
  await put('summary.json', `${JSON.stringify(summary, null, 1)}\n`)
  await put('report.md', markdownReport(report))
  await put('report.html', await htmlReport(report, facts.shown, facts.thumbnails))
  return join(out, 'report.html')
}
