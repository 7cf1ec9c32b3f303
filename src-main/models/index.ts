export { readManifest, type ReadManifest } from './manifest.ts'
export { findModel, readLibrary, summaryOf, type Library } from './library.ts'
export { checkSizes, verifyFiles, type FileCheck } from './verify.ts'
