import { Rect } from 'fabric'

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
}
