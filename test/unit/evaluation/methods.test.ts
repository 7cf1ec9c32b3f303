import { describe, expect, it } from 'vitest'
import { methodsOf, takes, type ModelAbilities } from '../../../src-main/evaluation/methods.ts'

const mini: ModelAbilities = { id: 'mini', text: true, subject: true, refine: true, defaults: { betaWithText: 0.5, betaSubjectOnly: 1 } }
const adapter: ModelAbilities = { ...mini, id: 'some/adapter', refine: false }
const plain: ModelAbilities = { ...mini, id: 'plain', subject: false, refine: false }
const names = (list: string, models: readonly ModelAbilities[]) => methodsOf(list, models).map(({ name }) => name)

describe('methodsOf', () => {
  it('does what names no model with each, and what needs none once', () => {
    expect(names('fill,naive-paste,text', [mini, plain])).toEqual(['fill', 'naive-paste', 'mini/text', 'plain/text'])
  })

  it('writes the default beta out, so that it is no second method', () => {
    expect(names('both,both@0.5,both@0.50,subject', [mini])).toEqual(['mini/both@0.5', 'mini/subject@1'])
  })

  it('takes a model whose id has a slash', () => {
    expect(names('some/adapter/both@0.3', [mini, adapter])).toEqual(['some/adapter/both@0.3'])
  })

  it('knows one way where there is no RefineNet to leave out', () => {
    expect(names('both@0.3,both@0.3:no-refine', [adapter])).toEqual(['some/adapter/both@0.3'])
    expect(methodsOf('both@0.3:no-refine', [mini])[0]?.way).toEqual({ kind: 'both', beta: 0.3, refine: false, zoomIn: true })
  })

  it('leaves out parts of the method: no Assign is beta 0, no Locate the whole picture', () => {
    expect(names('both@0.3:no-assign,both@0,subject:no-locate:no-refine,text:no-locate', [mini])).toEqual([
      'mini/both@0',
      'mini/subject@1:no-refine:no-locate',
      'mini/text:no-locate',
    ])
    expect(methodsOf('both@0.3:no-locate', [mini])[0]?.way).toEqual({ kind: 'both', beta: 0.3, refine: true, zoomIn: false })
    expect(names('table-2', [mini])).toEqual(expect.arrayContaining(['mini/both@0', 'mini/both@0.3:no-locate']))
  })

  it('gives a model that paints by example its subject alone', () => {
    const example: ModelAbilities = { ...mini, id: 'example', text: false, refine: false }
    expect(names('table-1', [example])).toEqual(['fill', 'naive-paste', 'example/subject@1'])
    expect(() => methodsOf('both', [example])).toThrow(/model "example" has no text encoder/)
    expect(() => methodsOf('subject@0.5', [example])).toThrow(/paints by example; its subject has no strength to choose/)
  })

  it('leaves out of a set what a model cannot do, and refuses it by name', () => {
    expect(names('table-1', [plain])).toEqual(['fill', 'naive-paste', 'plain/text'])
    expect(() => methodsOf('subject', [plain])).toThrow(/--methods "subject": model "plain" has no image encoder/)
  })

  it('has the curve and both tables in its sets', () => {
    expect(names('betas', [mini])).toEqual([0, 0.25, 0.5, 0.75, 1].map((beta) => `mini/both@${beta}`))
    expect(names('table-2', [mini])).toContain('mini/both@0.3:no-refine')
    expect(new Set(names('all', [mini]))).toEqual(new Set([...names('table-1', [mini]), ...names('table-2', [mini]), ...names('betas', [mini])]))
  })

  it.each([
    ['paint', /expected fill, naive-paste/],
    ['both@2', /expected a beta from 0 to 1, found "2"/],
    ['both@', /expected fill/],
    ['text:no-refine', /expected fill/],
    ['other/text', /no model "other" takes part; there are mini/],
    ['', /expected fill/],
  ])('refuses "%s" in one line', (list, line) => {
    expect(() => methodsOf(list, [mini])).toThrow(line)
  })
})

describe('takes', () => {
  it('asks for a text where one is read', () => {
    const ways = methodsOf('fill,naive-paste,text,subject,both', [mini])
    expect(ways.filter(({ way }) => takes(way, '')).map(({ name }) => name)).toEqual(['fill', 'naive-paste', 'mini/subject@1'])
    expect(ways.every(({ way }) => takes(way, 'a ball'))).toBe(true)
  })
})
