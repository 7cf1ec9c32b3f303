export { default as Canvas } from './Canvas.svelte'
export { default as CutoutEditor } from './CutoutEditor.svelte'
export { blobUrl } from './images.ts'
export { CanvasModel } from './canvas-model.svelte.ts'
