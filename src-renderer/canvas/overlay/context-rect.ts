import { Canvas, Rect, type FabricObject, type Point } from 'fabric'

/** Distance in CSS pixels at which the line of the context box can be grasped. */
const GRASP_PX = 6

/** The context box: light dashes over a dark line, so that it reads on any picture; the lines keep their width while the box is scaled by hand. */
export class ContextRect extends Rect {
  override _render(context: CanvasRenderingContext2D): void {
    const { width, height, scaleX, scaleY } = this
    context.save()
    context.scale(1 / scaleX, 1 / scaleY)
    const w = width * scaleX
    const h = height * scaleY
    context.lineWidth = 1
    context.strokeStyle = 'rgb(0 0 0 / 0.6)'
    context.strokeRect(-w / 2, -h / 2, w, h)
    context.setLineDash([5, 4])
    context.strokeStyle = 'rgb(255 255 255 / 0.95)'
    context.strokeRect(-w / 2, -h / 2, w, h)
    context.restore()
  }

  /** True near the line; the inside belongs to what lies there. */
  touches(point: Point): boolean {
    const x = Math.abs(point.x - this.left) - (this.width * this.scaleX) / 2
    const y = Math.abs(point.y - this.top) - (this.height * this.scaleY) / 2
    return Math.max(x, y) <= GRASP_PX && Math.max(x, y) >= -GRASP_PX
  }
}

/** A Fabric canvas on which the context box is grasped by its line alone. */
export class HandleCanvas extends Canvas {
  override _checkTarget(object: FabricObject, point: Point): boolean {
    if (object instanceof ContextRect) return object.visible && object.evented && object.touches(point)
    return super._checkTarget(object, point)
  }
}
