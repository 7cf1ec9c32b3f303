import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { channels } from '../../../src-main/contract/channels.ts'
import { EvaluationDesk } from '../../../src-main/shell/evaluation-desk.ts'

describe('the desk of evaluations', () => {
  const folder = mkdtempSync(join(tmpdir(), 'larkspur-evaluations-'))
  const name = '0123456789abcdef01234567'
  const remembered: string[] = []
  const revealed: string[] = []
  const desk = new EvaluationDesk({
    dialogs: { openEvaluationFolder: (what) => Promise.resolve(what === 'clip' ? null : join(folder, what)) },
    onFolder: (path) => remembered.push(path),
    reveal: (path) => revealed.push(path),
  })
  beforeAll(() => {
    mkdirSync(join(folder, 'out', 'pictures'), { recursive: true })
    writeFileSync(join(folder, 'out', 'pictures', `${name}.webp`), 'RIFF')
    writeFileSync(join(folder, 'out', 'results.jsonl'), '{}')
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('asks for folders, null when the dialog was closed', async () => {
    expect(await desk.choose('benchmark')).toBe(join(folder, 'benchmark'))
    expect(await desk.choose('clip')).toBeNull()
  })

  it('serves kept pictures of the open folder and nothing else of it', async () => {
    const { id } = channels['evaluation.open'].out.parse(desk.open(join(folder, 'out')))
    expect(Buffer.from(await desk.picture(id, name)).toString()).toBe('RIFF')
    // The same folder keeps its addresses: what is shown stays shown.
    expect(desk.open(join(folder, 'out')).id).toBe(id)
    expect(remembered).toEqual([join(folder, 'out'), join(folder, 'out')])
    await expect(desk.picture(id, '../results.jsonl')).rejects.toThrow(/expected the name of a kept picture/)
    await expect(desk.picture(id, 'f'.repeat(24))).rejects.toThrow(/no such picture/)
    desk.showReport(id)
    expect(revealed).toEqual([join(folder, 'out', 'report.html')])
    desk.close(id)
    await expect(desk.picture(id, name)).rejects.toMatchObject({ code: 'no-evaluation' })
    expect(() => desk.showReport(id)).toThrow(/not open any more/)
  })
})
