import { describe, expect, it } from 'vitest'
import type { DocumentOp, DocumentState } from '../../../../src-main/contract/document.ts'
import { CanvasModel } from '../../../../src-renderer/canvas/canvas-model.svelte.ts'
import { PointerDriver, type PointerInput } from '../../../../src-renderer/tools/pointer-driver.svelte.ts'

function setUp(): { canvas: CanvasModel; driver: PointerDriver; ops: DocumentOp[] } {
  const ops: DocumentOp[] = []
  const layer = { id: 'patch', name: 'Pear', kind: 'patch', box: { x: 100, y: 100, w: 50, h: 50 }, opacity: 1, blend: 'normal', visible: true, revision: 0 }
  const state = {
    id: 'd',
    name: 'd',
    width: 1000,
    height: 800,
    currentTurn: 't',
    turns: [{ id: 't', parent: null, layers: [layer] }],
    mask: { revision: 0, bounds: null },
    revision: 0,
  } as unknown as DocumentState
  const canvas = new CanvasModel({
    bridge: {
      call: (async (_: string, op: DocumentOp) => {
        ops.push(op)
        return { ...state, revision: state.revision + ops.length, mask: { revision: ops.length, bounds: null } }
      }) as never,
      on: () => () => undefined,
    },
    onfailure: (cause) => {
      throw cause
    },
  })
  canvas.viewport.resize(1000, 800, 1)
  canvas.take(state)
  // One CSS pixel is one document pixel, without an offset.
  canvas.viewport.zoomTo(1)
  canvas.viewport.panBy(-canvas.viewport.left, -canvas.viewport.top)
  return { canvas, driver: new PointerDriver(canvas), ops }
}

const press = (x: number, y: number, more: Partial<PointerInput> = {}): PointerInput => ({
  id: 1,
  kind: 'mouse',
  x,
  y,
  button: 0,
  pressure: 0.5,
  shift: false,
  alt: false,
  ...more,
})

function drag(driver: PointerDriver, from: readonly [number, number], to: readonly [number, number], more: Partial<PointerInput> = {}): void {
  driver.down(press(...from, more))
  for (let i = 1; i <= 8; i++) driver.move([press(from[0] + ((to[0] - from[0]) * i) / 8, from[1] + ((to[1] - from[1]) * i) / 8, more)])
  driver.up(press(...to, more))
}

describe('PointerDriver', () => {
  it('paints with the brush and takes away with Alt', () => {
    const { canvas, driver } = setUp()
    canvas.tools.sizePx = 20
    drag(driver, [200, 200], [300, 200])
    expect(canvas.mask.bounds).toEqual({ x: 190, y: 190, w: 120, h: 20 })
    canvas.tools.sizePx = 40
    drag(driver, [250, 200], [340, 200], { alt: true })
    expect(canvas.mask.bounds!.x + canvas.mask.bounds!.w).toBeLessThan(240)
  })

  it('draws a line from the end of the last stroke on shift-click', () => {
    const { canvas, driver } = setUp()
    canvas.tools.sizePx = 10
    drag(driver, [100, 100], [120, 100])
    driver.down(press(400, 300, { shift: true }))
    driver.up(press(400, 300, { shift: true }))
    expect(canvas.mask.tiles.at(260, 200)).toBe(255)
  })

  it('follows the pressure of pens only', () => {
    const { canvas, driver } = setUp()
    canvas.tools.sizePx = 40
    driver.down(press(100, 100, { kind: 'pen', pressure: 0.25 }))
    driver.up(press(100, 100, { kind: 'pen', pressure: 0 }))
    expect(canvas.mask.bounds!.w).toBeLessThan(20)
  })

  it('marks a rectangle, squared with Shift, and a lasso', () => {
    const { canvas, driver } = setUp()
    canvas.tools.choose('rectangle')
    drag(driver, [300, 300], [200, 260])
    expect(canvas.mask.bounds).toEqual({ x: 200, y: 260, w: 100, h: 40 })
    drag(driver, [500, 500], [540, 600], { shift: true })
    expect(canvas.mask.bounds).toEqual({ x: 200, y: 260, w: 400, h: 340 })
    canvas.tools.choose('lasso')
    driver.down(press(700, 100))
    driver.move([press(800, 100), press(800, 200), press(700, 200)])
    expect(driver.outline).toHaveLength(4)
    driver.up(press(700, 200))
    expect(canvas.mask.tiles.at(750, 150)).toBe(255)
    expect(driver.outline).toEqual([])
  })

  it('pans with Space, the middle button and the hand, whatever the tool', () => {
    const { canvas, driver } = setUp()
    driver.panKey = true
    drag(driver, [100, 100], [150, 120])
    expect([canvas.viewport.left, canvas.viewport.top]).toEqual([50, 20])
    driver.panKey = false
    drag(driver, [100, 100], [50, 80], { button: 1 })
    expect(Math.abs(canvas.viewport.left) + Math.abs(canvas.viewport.top)).toBe(0)
    expect(canvas.mask.empty).toBe(true)
  })

  it('drops the stroke of the first finger when a second comes, and zooms', () => {
    const { canvas, driver } = setUp()
    const zoom = canvas.viewport.zoom
    driver.down(press(400, 400, { kind: 'touch', id: 1 }))
    driver.move([press(420, 400, { kind: 'touch', id: 1 })])
    driver.down(press(600, 400, { kind: 'touch', id: 2 }))
    expect(canvas.mask.stroke).toBeNull()
    driver.move([press(700, 400, { kind: 'touch', id: 2 })])
    expect(canvas.viewport.zoom).toBeGreaterThan(zoom * 1.3)
    driver.up(press(700, 400, { kind: 'touch', id: 2 }))
    driver.up(press(420, 400, { kind: 'touch', id: 1 }))
    expect(canvas.mask.empty).toBe(true)
    expect(driver.idle).toBe(true)
  })

  it('drops everything when abandoned', () => {
    const { canvas, driver, ops } = setUp()
    driver.down(press(100, 100))
    expect(driver.abandon()).toBe(true)
    expect(driver.abandon()).toBe(false)
    expect(canvas.mask.empty).toBe(true)
    expect(ops).toEqual([])
  })

  it('zooms to a dragged region, in by a click, out with Alt', () => {
    const { canvas, driver } = setUp()
    canvas.tools.choose('zoom')
    drag(driver, [200, 200], [300, 280])
    expect(canvas.viewport.zoom).toBe(7)
    driver.down(press(500, 400, { alt: true }))
    driver.up(press(500, 400, { alt: true }))
    expect(canvas.viewport.zoom).toBe(6)
  })

  it('moves the active patch layer by whole pixels, as one change', async () => {
    const { canvas, driver, ops } = setUp()
    canvas.tools.choose('move')
    driver.startLayer(press(120, 120))
    expect(driver.idle).toBe(true)
    canvas.activeLayer = 'patch'
    driver.startLayer(press(120, 120))
    driver.move([press(150.4, 110)])
    expect(canvas.layers[0]!.box).toMatchObject({ x: 130, y: 90 })
    driver.up(press(150.4, 110))
    await new Promise((resolve) => setTimeout(resolve, 0))
    expect(ops).toEqual([{ kind: 'set-layer', layer: 'patch', change: { box: { x: 130, y: 90, w: 50, h: 50 } } }])
    expect(canvas.layerDrag).toBeNull()
  })
})
