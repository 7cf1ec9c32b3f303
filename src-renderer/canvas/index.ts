export { default as Canvas } from './Canvas.svelte'
export { default as CutoutEditor } from './CutoutEditor.svelte'
export { CanvasModel } from './canvas-model.svelte.ts'
