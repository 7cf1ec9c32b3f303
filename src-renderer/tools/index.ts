export { default as ToolColumn } from './ToolColumn.svelte'
export { default as ToolOptions } from './ToolOptions.svelte'
