import type { DocumentOp, Layer, Turn } from '../contract/document.ts'
import { UserError } from '../contract/errors.ts'
import { withTiles, type Mask } from './mask-tiles.ts'
import type { Size } from './pixels/tile-grid.ts'
import { currentTurnOf, withTurn, type Snapshot } from './snapshot.ts'

/** Layers may be moved off the canvas, but not so far that coordinates lose their meaning. */
const MAX_COORDINATE = 1_000_000
const MAX_SUBJECTS = 200

/** What an operation did: the new snapshot, its words for the menu, and a key under which the next like it melts into the same undo step. */
export interface Outcome {
  readonly after: Snapshot
  readonly label: string
  readonly mergeKey: string | null
}

export type PlainOp = Exclude<DocumentOp, { kind: 'accept-candidate' | 'go-to-turn' }>

/** Operations that need nothing but the document's present. @throws UserError when what they name is not there or not allowed. */
export function perform(present: Snapshot, op: PlainOp, size: Size): Outcome {
  switch (op.kind) {
    case 'paint-mask':
      return { after: withMask(present, withTiles(present.mask, op.tiles, size)), label: op.label, mergeKey: null }
    case 'set-layer':
      return setLayer(present, op)
    case 'order-layers':
      return orderLayers(present, op.order)
    case 'remove-layer': {
      const turn = currentTurnOf(present)
      const layer = layerOf(turn, op.layer)
      if (layer.kind === 'photo') throw new UserError('photo-stays', 'the photo cannot be removed; hide it instead')
      const layers = turn.layers.filter(({ id }) => id !== layer.id)
      return { after: withTurn(present, { ...turn, layers }), label: `Remove ${layer.name}`, mergeKey: null }
    }
    case 'add-subject': {
      if (present.subjects.some(({ id }) => id === op.subject.id)) throw new UserError('bad-subject', `a subject ${op.subject.id} is in the document already`)
      if (present.subjects.length >= MAX_SUBJECTS) throw new UserError('bad-subject', `a document keeps at most ${MAX_SUBJECTS} subjects; remove one first`)
      return { after: { ...present, subjects: [...present.subjects, op.subject] }, label: `Add subject ${op.subject.name}`, mergeKey: null }
    }
    case 'set-cutout': {
      const subject = subjectOf(present, op.subject)
      const { cutout } = op
      if (cutout !== null && (cutout.width !== subject.picture.width || cutout.height !== subject.picture.height)) {
        const { width, height } = subject.picture
        throw new UserError(
          'bad-cutout',
          `the cut-out of ${subject.name} is ${cutout.width} x ${cutout.height}, expected ${width} x ${height} like its picture`,
        )
      }
      const subjects = present.subjects.map((old) => (old.id === subject.id ? { ...old, cutout } : old))
      return { after: { ...present, subjects }, label: `Change cut-out of ${subject.name}`, mergeKey: null }
    }
    case 'remove-subject': {
      const subject = subjectOf(present, op.subject)
      return {
        after: { ...present, subjects: present.subjects.filter(({ id }) => id !== subject.id) },
        label: `Remove subject ${subject.name}`,
        mergeKey: null,
      }
    }
  }
}

/** A turn on top of the current one, with its patch as the topmost layer, and made current. */
export function accept(present: Snapshot, turn: Omit<Turn, 'parent' | 'layers'>, patch: Layer): Outcome {
  const parent = currentTurnOf(present)
  const born: Turn = { ...turn, parent: parent.id, layers: [...parent.layers, patch] }
  return { after: { ...present, turns: [...present.turns, born], currentTurn: born.id }, label: `Accept ${turn.label}`, mergeKey: null }
}

/** Makes another turn current: its layers are shown, and its mask, where it has one, is the mask again. */
export function goToTurn(present: Snapshot, turn: Turn, mask: Mask | null): Outcome {
  return { after: withMask({ ...present, currentTurn: turn.id }, mask ?? present.mask), label: `Go to ${turn.label}`, mergeKey: null }
}

export function turnOf(present: Snapshot, id: string): Turn {
  const turn = present.turns.find((candidate) => candidate.id === id)
  if (turn === undefined) throw new UserError('no-turn', `there is no turn ${id} in this document`)
  return turn
}

function withMask(snapshot: Snapshot, mask: Mask): Snapshot {
  return mask === snapshot.mask ? snapshot : { ...snapshot, mask }
}

function setLayer(present: Snapshot, { layer: id, change }: Extract<PlainOp, { kind: 'set-layer' }>): Outcome {
  const turn = currentTurnOf(present)
  const layer = layerOf(turn, id)
  const { box } = change
  if (box !== undefined) {
    if (box.w !== layer.box.w || box.h !== layer.box.h) {
      throw new UserError(
        'bad-layer',
        `${layer.name}: a layer can be moved, not scaled; expected a box of ${layer.box.w} x ${layer.box.h}, found ${box.w} x ${box.h}`,
      )
    }
    if (Math.abs(box.x) > MAX_COORDINATE || Math.abs(box.y) > MAX_COORDINATE) {
      throw new UserError('bad-layer', `${layer.name}: ${box.x}, ${box.y} is too far away, expected at most ${MAX_COORDINATE} pixels`)
    }
  }
  const keys = Object.keys(change).sort()
  const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
  const next: Layer = { ...layer, ...given }
  const label = `Change ${keys.join(', ')} of ${layer.name}`
  if (JSON.stringify(next) === JSON.stringify(layer)) return { after: present, label, mergeKey: null }
  const layers = turn.layers.map((old) => (old.id === id ? next : old))
  return { after: withTurn(present, { ...turn, layers }), label, mergeKey: `set-layer ${turn.id} ${id} ${keys.join(' ')}` }
}

function orderLayers(present: Snapshot, order: readonly string[]): Outcome {
  const turn = currentTurnOf(present)
  const layers = order.map((id) => layerOf(turn, id))
  if (new Set(order).size !== order.length || layers.length !== turn.layers.length) {
    throw new UserError('bad-order', `the new order names ${order.length} layers, expected each of the ${turn.layers.length} once`)
  }
  const same = layers.every((layer, index) => layer === turn.layers[index])
  return { after: same ? present : withTurn(present, { ...turn, layers }), label: 'Reorder layers', mergeKey: null }
}

function layerOf(turn: Turn, id: string): Layer {
  const layer = turn.layers.find((candidate) => candidate.id === id)
  if (layer === undefined) throw new UserError('no-layer', `there is no layer ${id} in this turn`)
  return layer
}

function subjectOf(present: Snapshot, id: string) {
  const subject = present.subjects.find((candidate) => candidate.id === id)
  if (subject === undefined) throw new UserError('no-subject', `there is no subject ${id} in this document`)
  return subject
}
