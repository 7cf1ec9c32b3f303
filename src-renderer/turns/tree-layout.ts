/** What the layout needs of a turn. */
export interface TurnNode {
  readonly id: string
  readonly parent: string | null
}

export interface PlacedTurn {
  readonly id: string
  /** Column: number of turns from the root. */
  readonly depth: number
  /** Row: 0 for the first line of children, one more for each branch below. */
  readonly lane: number
  readonly parent: string | null
  /** On the way from the root to the current turn. */
  readonly onPath: boolean
}

export interface TreeLayout {
  readonly turns: readonly PlacedTurn[]
  readonly depths: number
  readonly lanes: number
}

/** Lays turns out left to right; the first child goes on in its parent's lane, later ones open a lane below all that hang on earlier ones. */
export function layoutTurns(turns: readonly TurnNode[], current: string): TreeLayout {
  const children = new Map<string | null, TurnNode[]>()
  for (const turn of turns) children.set(turn.parent, [...(children.get(turn.parent) ?? []), turn])
  const path = pathTo(turns, current)
  const placed: PlacedTurn[] = []
  let lanes = 0
  const place = (turn: TurnNode, depth: number, lane: number): void => {
    placed.push({ id: turn.id, depth, lane, parent: turn.parent, onPath: path.has(turn.id) })
    lanes = Math.max(lanes, lane + 1)
    for (const [index, child] of (children.get(turn.id) ?? []).entries()) place(child, depth + 1, index === 0 ? lane : lanes)
  }
  for (const root of children.get(null) ?? []) place(root, 0, lanes)
  return { turns: placed, depths: Math.max(0, ...placed.map((turn) => turn.depth + 1)), lanes }
}

/** Ids from the root to a turn, both included. */
function pathTo(turns: readonly TurnNode[], id: string): ReadonlySet<string> {
  const byId = new Map(turns.map((turn) => [turn.id, turn]))
  const path = new Set<string>()
  for (let at = byId.get(id); at && !path.has(at.id); at = at.parent === null ? undefined : byId.get(at.parent)) path.add(at.id)
  return path
}

export type Direction = 'left' | 'right' | 'up' | 'down'

/** Neighbour of a turn for the arrow keys: parent, first child (that on the path before others), the turn above or below; null at the end. */
export function neighbour(layout: TreeLayout, id: string, direction: Direction): string | null {
  const from = layout.turns.find((turn) => turn.id === id)
  if (!from) return null
  if (direction === 'left') return from.parent
  if (direction === 'right') {
    const next = layout.turns.filter((turn) => turn.parent === id)
    return (next.find((turn) => turn.onPath) ?? next[0])?.id ?? null
  }
  const step = direction === 'up' ? -1 : 1
  const others = layout.turns
    .filter((turn) => Math.sign(turn.lane - from.lane) === step)
    .toSorted((a, b) => Math.abs(a.lane - from.lane) - Math.abs(b.lane - from.lane) || Math.abs(a.depth - from.depth) - Math.abs(b.depth - from.depth))
  return others[0]?.id ?? null
}
