import { describe, expect, it } from 'vitest'
import type { DocumentChange, DocumentOp, DocumentState } from '../../../../src-main/contract/document.ts'
import { MaskModel } from '../../../../src-renderer/canvas/mask/mask-model.svelte.ts'
import { MaskTiles, type Coverage } from '../../../../src-renderer/canvas/mask/mask-tiles.ts'
import { fillPolygon, rectanglePoints } from '../../../../src-renderer/tools/polygon.ts'

/** Main's side of the mask: keeps tiles, a revision, and one step of undo. */
class Main {
  tiles = new MaskTiles(1024, 1024)
  before = this.tiles
  revision = 0
  fetched: string[] = []
  echoFirst = true
  failNext = false
  ops: DocumentOp[] = []
  model!: MaskModel

  state(): DocumentState {
    const mask = { revision: this.revision, bounds: this.tiles.bounds() }
    return { id: 'd', width: 1024, height: 1024, mask } as unknown as DocumentState
  }

  async apply(op: DocumentOp): Promise<DocumentState> {
    await Promise.resolve()
    if (this.failNext) {
      this.failNext = false
      throw new Error('disk full')
    }
    this.ops.push(op)
    if (op.kind !== 'paint-mask') throw new Error('unexpected op')
    this.before = this.tiles.snapshot()
    this.tiles.apply(op.tiles)
    this.revision += 1
    const state = this.state()
    if (this.echoFirst) void this.model.documentChanged({ state, maskTiles: op.tiles.map(({ column, row }) => ({ column, row })) })
    return state
  }

  undo(): DocumentChange {
    this.tiles = this.before
    this.revision += 1
    return { state: this.state(), maskTiles: [{ column: 0, row: 0 }] }
  }
}

function setUp(): { main: Main; model: MaskModel; failures: unknown[] } {
  const main = new Main()
  const failures: unknown[] = []
  const model = new MaskModel({
    bridge: { call: (async (_: string, op: DocumentOp) => main.apply(op)) as never },
    fetchTile: async (_, revision, column, row): Promise<Coverage | null> => {
      main.fetched.push(`${String(revision)}/${String(column)}/${String(row)}`)
      await Promise.resolve()
      return main.tiles.get(column, row)
    },
    onfailure: (cause) => failures.push(cause),
  })
  main.model = model
  return { main, model, failures }
}

function paint(model: MaskModel, x: number): void {
  const stroke = model.startStroke('add')
  model.strokeMoved(fillPolygon(stroke, rectanglePoints({ x, y: 10, w: 20, h: 20 })))
  model.commitStroke('Brush')
}

describe('MaskModel', () => {
  it('shows a stroke at once, sends it as one paint-mask, and fetches nothing for its own echo', async () => {
    const { main, model } = setUp()
    await model.open(main.state())
    paint(model, 10)
    expect(model.bounds).toEqual({ x: 10, y: 10, w: 20, h: 20 })
    await model.settled()
    expect(main.ops).toHaveLength(1)
    expect(main.ops[0]).toMatchObject({ kind: 'paint-mask', label: 'Brush', tiles: [{ column: 0, row: 0 }] })
    expect(main.fetched).toEqual([])
    main.echoFirst = false
    paint(model, 100)
    await model.settled()
    await model.documentChanged({ state: main.state(), maskTiles: [{ column: 0, row: 0 }] })
    expect(main.fetched).toEqual([])
  })

  it('keeps the order of quick strokes', async () => {
    const { main, model } = setUp()
    await model.open(main.state())
    paint(model, 10)
    paint(model, 200)
    paint(model, 600)
    await model.settled()
    expect(main.ops).toHaveLength(3)
    expect(main.tiles.bounds()).toEqual({ x: 10, y: 10, w: 610, h: 20 })
  })

  it('reads tiles again that an undo changed', async () => {
    const { main, model } = setUp()
    await model.open(main.state())
    paint(model, 10)
    paint(model, 100)
    await model.settled()
    await model.documentChanged(main.undo())
    expect(main.fetched).toEqual(['3/0/0'])
    expect(model.bounds).toEqual({ x: 10, y: 10, w: 20, h: 20 })
  })

  it('takes a failed edit back to what main has, and says so', async () => {
    const { main, model, failures } = setUp()
    await model.open(main.state())
    paint(model, 10)
    await model.settled()
    main.failNext = true
    paint(model, 300)
    await model.settled()
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(failures).toHaveLength(1)
    expect(model.bounds).toEqual({ x: 10, y: 10, w: 20, h: 20 })
  })

  it('reads everything of an opened document that has a mask', async () => {
    const { main, model } = setUp()
    const stroke = new MaskModel({
      bridge: { call: (async (_: string, op: DocumentOp) => main.apply(op)) as never },
      fetchTile: async () => null,
      onfailure: () => undefined,
    })
    await stroke.open(main.state())
    paint(stroke, 500)
    await stroke.settled()
    await model.open(main.state())
    expect(model.bounds).toEqual({ x: 500, y: 10, w: 20, h: 20 })
    expect(main.fetched).toEqual(['1/0/0', '1/1/0'])
  })

  it('filters as one edit and sends nothing when nothing changes', async () => {
    const { main, model } = setUp()
    await model.open(main.state())
    await model.filter({ kind: 'grow', px: 5 })
    await model.settled()
    expect(main.ops).toHaveLength(0)
    paint(model, 100)
    await model.filter({ kind: 'grow', px: 5 })
    await model.settled()
    expect(main.ops).toHaveLength(2)
    expect(main.tiles.bounds()).toEqual({ x: 95, y: 5, w: 30, h: 30 })
  })

  it('drops an abandoned stroke', async () => {
    const { main, model } = setUp()
    await model.open(main.state())
    fillPolygon(model.startStroke('add'), rectanglePoints({ x: 0, y: 0, w: 9, h: 9 }))
    model.abandonStroke()
    await model.settled()
    expect(model.empty).toBe(true)
    expect(main.ops).toHaveLength(0)
  })
})
