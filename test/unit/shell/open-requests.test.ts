import { describe, expect, it } from 'vitest'
import { filesHanded, filesOfArguments, wantsSample } from '../../../src-main/shell/open-requests.ts'

describe('files of the command line', () => {
  it('takes plain arguments of a packaged application, made absolute', () => {
    expect(filesOfArguments(['/opt/larkspur', 'a.png', '--no-sandbox', '/p/b.jpg'], { cwd: '/home', packaged: true })).toEqual(['/home/a.png', '/p/b.jpg'])
  })

  it('passes over the application folder when it runs from its sources', () => {
    expect(filesOfArguments(['electron', '--no-sandbox', '/work', '--sample'], { cwd: '/', packaged: false })).toEqual([])
    expect(filesOfArguments(['electron', '/work', 'x.png'], { cwd: '/p', packaged: false })).toEqual(['/p/x.png'])
  })

  it('knows the switch of npm start', () => {
    expect(wantsSample(['electron', '/work', '--sample'])).toBe(true)
    expect(wantsSample(['electron', '/work'])).toBe(false)
  })

  it('takes nothing from a stranger', () => {
    expect(filesHanded({ files: ['/a'] })).toEqual(['/a'])
    expect(filesHanded({ files: 'a' })).toEqual([])
    expect(filesHanded(null)).toEqual([])
  })
})
