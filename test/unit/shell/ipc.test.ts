import { describe, expect, it } from 'vitest'
import { UserError } from '../../../src-main/contract/errors.ts'
import { answerCall, channelNames, type ChannelAnswers } from '../../../src-main/shell/ipc.ts'

/** Answers of which each test gives the one it needs. */
function answers(some: Partial<ChannelAnswers>): ChannelAnswers {
  const refuse = (): never => {
    throw new Error('this test does not call it')
  }
  return { ...(Object.fromEntries(channelNames().map((name) => [name, refuse])) as unknown as ChannelAnswers), ...some }
}

describe('answerCall', () => {
  it('answers with what the channel promises', async () => {
    const info = { version: '1.0.0', platform: 'linux', samples: [] }
    expect(await answerCall('app.info', answers({ 'app.info': () => info }), null, () => {})).toEqual({ ok: true, value: info })
  })

  it('refuses input that is not of the channel, and names the place', async () => {
    const answer = await answerCall('document.save', answers({}), { as: 'yes' }, () => {})
    expect(answer).toMatchObject({ ok: false, failure: { code: 'bad-call', message: expect.stringMatching(/^document\.save: as: /) } })
  })

  it('hands the code and the line of a UserError on', async () => {
    const failing = answers({
      'document.undo': () => {
        throw new UserError('no-document', 'no document is open')
      },
    })
    expect(await answerCall('document.undo', failing, null, () => {})).toEqual({ ok: false, failure: { code: 'no-document', message: 'no document is open' } })
  })

  it('tells a defect from a mistake of the person and reports it', async () => {
    const defects: unknown[] = []
    const broken = answers({
      'document.undo': () => {
        throw new TypeError('x is undefined')
      },
    })
    const answer = await answerCall('document.undo', broken, null, (_channel, error) => defects.push(error))
    expect(answer).toMatchObject({ ok: false, failure: { code: 'defect' } })
    expect(defects).toHaveLength(1)
  })

  it('lets no answer out that breaks the channel', async () => {
    const wrong = answers({ 'app.info': () => ({ version: '1', platform: 'linux', samples: [], secret: 1 }) })
    expect(await answerCall('app.info', wrong, null, () => {})).toMatchObject({ ok: false, failure: { code: 'defect' } })
  })
})
