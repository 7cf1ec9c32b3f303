import { FabricImage, type FabricObject } from 'fabric'
import type { Box } from '../../../src-main/contract/basics.ts'
import type { Placement } from '../../../src-main/contract/recipe.ts'
import type { Point, Rect } from '../geometry.ts'
import { ContextRect, HandleCanvas } from './context-rect.ts'
import { wrapDegrees } from './placement.svelte.ts'

/** What the overlay shows; pushed as a whole, never read back. */
export interface OverlayView {
  /** CSS pixels per document pixel. */
  readonly scale: number
  readonly toCss: (point: Point) => Point
  readonly contextBox: Box | null
  readonly placement: Placement | null
  /** The move tool is in the hand. */
  readonly interactive: boolean
  /** Opacity of the cut-out, 0..1. */
  readonly ghost: number
  readonly accent: string
}

export interface OverlayEvents {
  /** A hand moved, scaled or turned the subject; `done` when it let go. */
  readonly onplace: (placement: Placement, done: boolean) => void
  readonly oncontextbox: (rect: Rect, done: boolean) => void
  /** The move tool pressed where no object stands. */
  readonly onempty: (event: PointerEvent) => void
  readonly toDocument: (point: Point) => Point
}

const NO_SIDES = { ml: false, mr: false, mt: false, mb: false } as const
/** Opacity of the cut-out while a hand is on it. */
const HELD_GHOST = 0.75

/**
 * The objects that are handled by hand: context box and subject, on a Fabric canvas of the viewport's size in CSS pixels. It is told what to show after
 * each change of viewport or state, and tells of hands; the photo never comes here.
 */
export class FabricOverlay {
  readonly #canvas: HandleCanvas
  readonly #events: OverlayEvents
  readonly #box: ContextRect
  #subject: FabricImage | null = null
  #view: OverlayView | null = null
  /** Object in the hand: it is not pushed to until the hand lets go. */
  #held: FabricObject | null = null

  constructor(element: HTMLCanvasElement, events: OverlayEvents) {
    this.#events = events
    this.#canvas = new HandleCanvas(element, {
      enablePointerEvents: true,
      selection: false,
      preserveObjectStacking: true,
      renderOnAddRemove: false,
      containerClass: 'fabric-overlay',
      stopContextMenu: true,
      fireRightClick: false,
      fireMiddleClick: false,
    })
    this.#box = new ContextRect({
      originX: 'center',
      originY: 'center',
      fill: 'transparent',
      strokeWidth: 0,
      padding: 0,
      lockRotation: true,
      lockScalingFlip: true,
      objectCaching: false,
      hasBorders: false,
      hoverCursor: 'move',
      visible: false,
    })
    this.#box.setControlsVisibility({ ...NO_SIDES, mtr: false })
    this.#canvas.add(this.#box)
    this.#listen()
  }

  get wrapper(): HTMLElement {
    return this.#canvas.wrapperEl
  }

  /** True while a hand is on one of the objects. */
  get held(): boolean {
    return this.#held !== null
  }

  resize(widthPx: number, heightPx: number): void {
    this.#canvas.setDimensions({ width: widthPx, height: heightPx })
    this.#push()
  }

  /** @param picture the cut-out on transparency, cropped to its box; null for none */
  setSubject(picture: HTMLCanvasElement | null): void {
    if (this.#subject !== null) {
      this.#canvas.discardActiveObject()
      this.#canvas.remove(this.#subject)
      this.#subject = null
    }
    if (picture !== null) {
      this.#subject = new FabricImage(picture, {
        originX: 'center',
        originY: 'center',
        objectCaching: false,
        lockScalingFlip: true,
        strokeWidth: 0,
        hoverCursor: 'move',
      })
      this.#subject.setControlsVisibility(NO_SIDES)
      this.#canvas.add(this.#subject)
    }
    this.#push()
  }

  update(view: OverlayView): void {
    this.#view = view
    this.#push()
  }

  /** Gives the subject its handles, as after choosing the move tool; else the context box. */
  select(): void {
    const object = this.#subject?.visible === true ? this.#subject : this.#box.visible ? this.#box : null
    if (object !== null) this.#canvas.setActiveObject(object)
    this.#canvas.requestRenderAll()
  }

  /** Takes the handles away, unless a hand is on them. */
  deselect(): void {
    if (this.#held !== null) return
    this.#canvas.discardActiveObject()
    this.#canvas.requestRenderAll()
  }

  async dispose(): Promise<void> {
    await this.#canvas.dispose()
  }

  #push(): void {
    const view = this.#view
    if (view === null) return
    const look = {
      selectable: view.interactive,
      evented: view.interactive,
      transparentCorners: false,
      cornerSize: 9,
      touchCornerSize: 28,
      cornerColor: 'white',
      cornerStrokeColor: view.accent,
      borderColor: view.accent,
      borderScaleFactor: 1.5,
    }
    this.#box.set(look)
    this.#subject?.set(look)
    this.#pushBox(view)
    this.#pushSubject(view)
    if (!view.interactive && this.#held === null) this.#canvas.discardActiveObject()
    this.#canvas.requestRenderAll()
  }

  #pushBox(view: OverlayView): void {
    const box = view.contextBox
    this.#box.visible = box !== null
    if (box === null) this.#release(this.#box)
    if (box === null || this.#held === this.#box) return
    const centre = view.toCss({ x: box.x + box.w / 2, y: box.y + box.h / 2 })
    this.#box.set({ left: centre.x, top: centre.y, width: box.w * view.scale, height: box.h * view.scale, scaleX: 1, scaleY: 1 })
    this.#box.setCoords()
  }

  #pushSubject(view: OverlayView): void {
    const subject = this.#subject
    if (subject === null) return
    const placement = view.placement
    subject.visible = placement !== null
    if (placement === null) this.#release(subject)
    subject.opacity = this.#held === subject ? HELD_GHOST : view.ghost
    if (placement === null || this.#held === subject) return
    const centre = view.toCss({ x: placement.centreX, y: placement.centreY })
    subject.set({
      left: centre.x,
      top: centre.y,
      scaleX: (placement.width * view.scale) / subject.width,
      scaleY: (placement.height * view.scale) / subject.height,
      angle: placement.degrees,
      flipX: placement.flipX,
      flipY: placement.flipY,
    })
    subject.setCoords()
  }

  #release(object: FabricObject): void {
    if (this.#canvas.getActiveObject() === object) this.#canvas.discardActiveObject()
  }

  #listen(): void {
    const canvas = this.#canvas
    const moved = ({ target }: { target: FabricObject }) => this.#tell(target, false)
    canvas.on('object:moving', moved)
    canvas.on('object:scaling', moved)
    canvas.on('object:rotating', ({ target }) => {
      // Near whole eighths of a turn it snaps, as in other editors.
      const nearest = Math.round(target.angle / 45) * 45
      if (Math.abs(target.angle - nearest) < 2) target.rotate(nearest)
      this.#tell(target, false)
    })
    canvas.on('object:modified', ({ target }) => this.#tell(target, true))
    canvas.on('mouse:down', ({ target, e }) => {
      if (target === undefined && e instanceof PointerEvent) this.#events.onempty(e)
    })
    canvas.on('mouse:up', () => {
      if (this.#held === null) return
      this.#held = null
      this.#push()
    })
  }

  #tell(object: FabricObject, done: boolean): void {
    const view = this.#view
    if (view === null) return
    this.#held = done ? null : object
    const centre = this.#events.toDocument({ x: object.left, y: object.top })
    const width = (object.width * Math.abs(object.scaleX)) / view.scale
    const height = (object.height * Math.abs(object.scaleY)) / view.scale
    if (object === this.#box) this.#events.oncontextbox({ x: centre.x - width / 2, y: centre.y - height / 2, w: width, h: height }, done)
    else {
      object.opacity = done ? view.ghost : HELD_GHOST
      this.#events.onplace(
        { centreX: centre.x, centreY: centre.y, width, height, degrees: wrapDegrees(object.angle), flipX: object.flipX, flipY: object.flipY },
        done,
      )
    }
    if (done) this.#push()
  }
}
