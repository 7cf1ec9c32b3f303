export type { Documents, DocumentsOptions, LarkspurDocument, Recoverable } from './api.ts'
export { createDocuments } from './documents.ts'
export { documentInfo, exportDocument, verifyDocument } from './inspect.ts'
