import type { PictureSource } from '../../src-main/contract/channels.ts'

/** A file that was dropped or pasted, as main takes it: by its path where it has one. */
export async function sourceOf(file: File, pathOfFile: (file: File) => string): Promise<PictureSource> {
  const path = pathOfFile(file)
  if (path !== '') return { path }
  return { name: (file.name || 'pasted').slice(0, 200), bytes: new Uint8Array(await file.arrayBuffer()) }
}

export type Incoming = 'photo' | 'subject'

/**
 * What a picture is for, so that nothing need be asked: a document is always opened, and without one open there is nothing to add a subject to; else
 * what lands on the panel is a subject and what lands on the canvas is a photo.
 */
export function purposeOf(fileName: string, onPanel: boolean, hasDocument: boolean): Incoming {
  if (!hasDocument || fileName.toLowerCase().endsWith('.larkspur')) return 'photo'
  return onPanel ? 'subject' : 'photo'
}

/** Whether keys go into a field rather than to commands. */
export function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !['range', 'checkbox', 'button', 'color'].includes(target.type)
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement
}
