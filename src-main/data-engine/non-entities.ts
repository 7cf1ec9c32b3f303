import { readFileOrExplain } from '../pictures/files.ts'

/** Words of a list, one a line; `#` begins a remark. @throws UserError `file-unreadable` */
export async function readWordList(path: string): Promise<string[]> {
  const text = Buffer.from(await readFileOrExplain(path)).toString('utf8')
  return text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().toLowerCase())
    .filter((line) => line !== '')
}
