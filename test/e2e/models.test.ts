import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BadHub } from '../unit/models/bad-server.ts'
import { launchLarkspur, root, type LaunchedLarkspur } from './launch.ts'

const sets = join(root, 'test', 'parity', 'sets')
const hub = new BadHub()
let larkspur: LaunchedLarkspur

beforeAll(async () => {
  const endpoint = await hub.open()
  hub.files.set('config.json', Buffer.from('{"_class_name": "AutoencoderTiny"}')).set('diffusion_pytorch_model.safetensors', Buffer.alloc(2_000_000, 7))
  larkspur = await launchLarkspur({
    sample: true,
    dialogs: {
      openModel: [join(sets, 'sd15-inpaint'), join(sets, 'ip-adapter-plus', 'models', 'ip-adapter-plus_sd15.safetensors'), join(sets, 'largen-image')],
      unsaved: ['discard'],
    },
    env: { HF_ENDPOINT: endpoint },
  })
  await larkspur.app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.send('larkspur:command', { id: 'app.models' }))
  await larkspur.page.getByRole('dialog', { name: 'Models' }).waitFor()
})
afterAll(async () => {
  await larkspur.cleanUp()
  await hub.close()
})

test('a folder and a part of it are taken in, a wrong folder is said in a line, and what is only referred to is forgotten', async () => {
  const { page } = larkspur
  const dialog = page.getByRole('dialog', { name: 'Models' })
  await dialog.getByRole('button', { name: 'Choose a folder' }).click()
  await dialog.getByRole('button', { name: 'Use' }).waitFor()
  await dialog.getByRole('button', { name: 'Choose a file' }).click()
  await dialog.getByText('takes a subject, but no CLIP image encoder is there').waitFor()
  await dialog.getByRole('button', { name: 'Choose a folder' }).click()
  await dialog.getByRole('alert').getByText('largen-image').waitFor()
  for (const name of ['ip-adapter-plus_sd15.safetensors', 'sd15-inpaint']) {
    const row = dialog.getByRole('group').filter({ hasText: name }).last()
    await row.getByRole('button', { name: 'Remove' }).click()
    await row.getByRole('button', { name: 'Forget it, keep its files' }).click()
    await row.waitFor({ state: 'detached' })
  }
  expect(existsSync(join(sets, 'sd15-inpaint', 'unet', 'config.json'))).toBe(true)
  expect(await readdir(join(larkspur.profile, 'models'))).toEqual(['library.json'])
})

test('a download shows its licence first, its progress, can be stopped, and goes on', async () => {
  const { page } = larkspur
  hub.misbehave = (request, response, bytes) => {
    if (!request.url?.includes('safetensors')) return false
    response.writeHead(200, { 'content-length': bytes.length })
    response.write(bytes.subarray(0, 700_000))
    return true
  }
  const row = page.getByRole('dialog', { name: 'Models' }).getByRole('listitem').filter({ hasText: 'TAESD' })
  await row.getByRole('button', { name: 'Download' }).click()
  await row.getByText('Licence: MIT').waitFor()
  expect(hub.asked).toEqual([])
  await row.getByRole('button', { name: 'Accept and download' }).click()
  await row.getByText('35 % of 2.0 MB').waitFor()
  await row.getByRole('button', { name: 'Stop' }).click()
  await row.getByRole('button', { name: 'Go on' }).click()
  hub.misbehave = () => false
  await row.getByRole('button', { name: 'Accept and download' }).click()
  await row.getByText('installed').waitFor()
  expect(hub.asked.at(-1)?.range).toBe('bytes=700000-')
  expect(larkspur.complaints).toEqual([])
})
