import { toolIds, toolKeys, type ToolId, type ToolState } from '../tools/tool-state.svelte.ts'
import type { DocumentState } from '../../src-main/contract/document.ts'
import type { CompareState } from './compare.svelte.ts'
import type { MaskModel } from './mask/mask-model.svelte.ts'
import type { ContextBoxState } from './overlay/context-box.svelte.ts'
import type { PlacementState } from './overlay/placement.svelte.ts'
import type { Viewport } from './viewport.svelte.ts'
import { words, type CanvasWords } from './words.ts'

/** Something the canvas can do, for menus, palette and shortcuts. */
export interface CanvasAction {
  /** Dotted, such as `mask.invert`. */
  readonly id: string
  /** In the language of the moment. */
  readonly label: () => string
  /** Keys in the order of preference, as in `Shift+I` or `[`; empty when there is none. */
  readonly keys: readonly string[]
  readonly enabled: () => boolean
  readonly run: () => void
}

/** The parts of the canvas that actions work on; the model holds them, and makes the actions from itself. */
export interface ActionTargets {
  readonly document: DocumentState | null
  readonly viewport: Viewport
  readonly tools: ToolState
  readonly mask: MaskModel
  readonly contextBox: ContextBoxState
  readonly placement: PlacementState
  readonly compare: CompareState
}

type ActionName = keyof CanvasWords['actions']

/** @param canvas the model that they act on */
export function canvasActions(canvas: ActionTargets): CanvasAction[] {
  const { viewport, tools, mask, contextBox, placement, compare } = canvas
  const open = () => canvas.document !== null
  const marked = () => !mask.empty && !mask.busy
  const placed = () => placement.shown !== null
  const action = (id: string, name: ActionName, keys: readonly string[], enabled: () => boolean, run: () => void): CanvasAction => ({
    id,
    label: () => words().actions[name],
    keys,
    enabled,
    run,
  })
  const chooseTool = (tool: ToolId): CanvasAction => ({
    id: `tool.${tool}`,
    label: () => words().tools[tool],
    keys: [toolKeys[tool]],
    enabled: open,
    run: () => tools.choose(tool),
  })
  return [
    ...toolIds.map(chooseTool),
    action('view.fit', 'fit', ['0'], open, () => viewport.fit()),
    action('view.actualSize', 'actualSize', ['1'], open, () => viewport.actualSize()),
    action('view.zoomIn', 'zoomIn', ['+', '='], open, () => viewport.zoomIn()),
    action('view.zoomOut', 'zoomOut', ['-'], open, () => viewport.zoomOut()),
    action(
      'view.showContextBox',
      'showContextBox',
      ['2'],
      () => contextBox.shown !== null,
      () => {
        const box = contextBox.shown
        if (box !== null) viewport.show(box)
      },
    ),
    action('view.compare', 'compare', ['Y'], open, () => compare.toggle()),
    action('brush.smaller', 'brushSmaller', ['['], open, () => tools.stepSize(-1)),
    action('brush.larger', 'brushLarger', [']'], open, () => tools.stepSize(1)),
    action('brush.softer', 'brushSofter', ['Shift+[', '{'], open, () => tools.stepHardness(-1)),
    action('brush.harder', 'brushHarder', ['Shift+]', '}'], open, () => tools.stepHardness(1)),
    action('mask.invert', 'maskInvert', ['Shift+I'], open, () => void mask.filter({ kind: 'invert' })),
    action('mask.fill', 'maskFill', ['Ctrl+A'], open, () => void mask.filter({ kind: 'fill' })),
    action('mask.clear', 'maskClear', ['Ctrl+D'], marked, () => void mask.filter({ kind: 'clear' })),
    action('mask.grow', 'maskGrow', [], marked, () => void mask.filter({ kind: 'grow', px: tools.reachPx })),
    action('mask.shrink', 'maskShrink', [], marked, () => void mask.filter({ kind: 'shrink', px: tools.reachPx })),
    action('mask.feather', 'maskFeather', [], marked, () => void mask.filter({ kind: 'feather', px: tools.featherPx })),
    action(
      'contextBox.automatic',
      'contextAutomatic',
      [],
      () => !contextBox.automatic,
      () => contextBox.reset(),
    ),
    action('placement.flipX', 'flipX', ['Shift+H'], placed, () => placement.flipX()),
    action('placement.flipY', 'flipY', ['Shift+V'], placed, () => placement.flipY()),
    action(
      'placement.fit',
      'placementFit',
      [],
      () => placement.touched,
      () => placement.reset(),
    ),
  ]
}
