export type { Documents, DocumentsOptions, ExportOptions, LarkspurDocument, Recoverable } from './api.ts'
export { createDocuments } from './documents.ts'
export { documentInfo, exportDocument, verifyDocument, type DocumentInfo } from './inspect.ts'
