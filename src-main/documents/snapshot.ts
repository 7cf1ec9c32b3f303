import type { Subject, Turn } from '../contract/document.ts'
import type { Mask } from './mask-tiles.ts'

/**
 * Everything of a document that undo can bring back, at one moment. Snapshots are never changed; a change makes a new one that shares all it can
 * with the old, so keeping both costs only what differs. Pixels of layers are not in it: they never change and lie in files.
 */
export interface Snapshot {
  readonly turns: readonly Turn[]
  readonly currentTurn: string
  readonly subjects: readonly Subject[]
  readonly mask: Mask
}

export function currentTurnOf(snapshot: Snapshot): Turn {
  const turn = snapshot.turns.find(({ id }) => id === snapshot.currentTurn)
  if (turn === undefined) throw new Error(`the current turn ${snapshot.currentTurn} is not in the tree`)
  return turn
}

/** Turns from the root to the given one. */
export function pathTo(snapshot: Pick<Snapshot, 'turns'>, id: string): Turn[] {
  const byId = new Map(snapshot.turns.map((turn) => [turn.id, turn]))
  const path: Turn[] = []
  for (let turn = byId.get(id); turn !== undefined; turn = turn.parent === null ? undefined : byId.get(turn.parent)) path.unshift(turn)
  return path
}

export function withTurn(snapshot: Snapshot, turn: Turn): Snapshot {
  return { ...snapshot, turns: snapshot.turns.map((old) => (old.id === turn.id ? turn : old)) }
}

/** SHA-256 of every picture of the blob store that the document needs to be shown, saved and have its recipes read. Scenes are not: they are made again from the layers. */
export function blobsOf({ turns, subjects }: Pick<Snapshot, 'turns' | 'subjects'>): Set<string> {
  const needed = new Set<string>()
  const need = (blob: { sha256: string } | null) => {
    if (blob !== null) needed.add(blob.sha256)
  }
  for (const turn of turns) {
    need(turn.thumbnail)
    need(turn.mask)
    for (const subject of turn.recipe?.subjects ?? []) {
      need(subject.picture)
      need(subject.cutout)
    }
  }
  for (const subject of subjects) {
    need(subject.picture)
    need(subject.cutout)
  }
  return needed
}

/** Layers of all turns, once each. */
export function layersOf(turns: readonly Turn[]): { id: string; width: number; height: number }[] {
  const layers = new Map<string, { id: string; width: number; height: number }>()
  for (const turn of turns) for (const { id, box } of turn.layers) layers.set(id, { id, width: box.w, height: box.h })
  return [...layers.values()]
}
