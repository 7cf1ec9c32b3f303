// createDocuments(options: DocumentsOptions): Promise<Documents> comes from './documents.ts'.
export type { Documents, DocumentsOptions, ExportOptions, LarkspurDocument, Recoverable } from './api.ts'
