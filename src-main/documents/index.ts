export type { Documents, DocumentsOptions, ExportOptions, LarkspurDocument, Recoverable } from './api.ts'
export { createDocuments } from './documents.ts'
