import type { MaskTile } from '../contract/document.ts'
import { History } from './history.ts'
import type { JournalRecord } from './journal.ts'
import { EMPTY_MASK, withTiles } from './mask-tiles.ts'
import type { Size } from './pixels/tile-grid.ts'
import type { Base } from './recovery-folder.ts'
import type { Snapshot } from './snapshot.ts'

/** A document as its journal tells it. */
export interface Replayed {
  readonly history: History
  readonly name: string
  readonly path: string | null
  /** The snapshot that the file on disk holds. */
  readonly saved: Snapshot
}

/** Does again what a journal holds; the line of undo steps comes out as it was. */
export function replay(base: Base, baseMask: readonly MaskTile[], changes: readonly { record: JournalRecord; tiles: readonly MaskTile[] }[]): Replayed {
  const { turns, currentTurn, subjects } = base
  const history = new History({ turns, currentTurn, subjects, mask: withTiles(EMPTY_MASK, baseMask, base) })
  let saved = history.present
  let { name, path } = base
  for (const { record, tiles } of changes) {
    switch (record.kind) {
      case 'do': {
        const { label, mergeKey, at, merge, forget } = record
        const before = history.present
        history.push({ label, mergeKey, at, before, after: changed(before, record, tiles, base) }, { merge, forget })
        break
      }
      case 'undo':
        history.undo()
        break
      case 'redo':
        history.redo()
        break
      case 'saved':
        saved = record.current ? history.present : { ...history.present }
        name = record.name
        path = record.path
        break
    }
  }
  return { history, name, path, saved }
}

function changed(before: Snapshot, record: Extract<JournalRecord, { kind: 'do' }>, tiles: readonly MaskTile[], size: Size): Snapshot {
  const given = new Map(record.turns.map((turn) => [turn.id, turn]))
  const known = new Set(before.turns.map(({ id }) => id))
  return {
    turns: [...before.turns.map((turn) => given.get(turn.id) ?? turn), ...record.turns.filter(({ id }) => !known.has(id))],
    currentTurn: record.currentTurn,
    subjects: record.subjects ?? before.subjects,
    mask: withTiles(before.mask, tiles, size),
  }
}
