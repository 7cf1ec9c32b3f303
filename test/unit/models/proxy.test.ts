import { expect, test } from 'vitest'
import { proxiesOf, proxyFor } from '../../../src-main/models/proxy.ts'

test.each([
  ['https://hub.co/x', {}, null, null],
  ['https://hub.co/x', { HTTPS_PROXY: 'http://p:1' }, null, 'http://p:1'],
  ['https://hub.co/x', { HTTP_PROXY: 'http://p:2' }, null, 'http://p:2'],
  ['http://hub.co/x', { HTTPS_PROXY: 'http://p:1' }, null, null],
  ['https://hub.co/x', { https_proxy: 'http://low:1', HTTPS_PROXY: 'http://up:1' }, null, 'http://low:1'],
  ['https://hub.co/x', { HTTPS_PROXY: 'http://p:1' }, 'http://mine:9', 'http://mine:9'],
  ['https://hub.co/x', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.co' }, null, null],
  ['https://cdn.hub.co/x', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'a.b, .hub.co' }, null, null],
  ['https://nothub.co/x', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.co' }, null, 'http://p:1'],
  ['https://hub.co/x', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.co:8443' }, null, 'http://p:1'],
  ['https://hub.co:8443/x', { HTTPS_PROXY: 'http://p:1', NO_PROXY: 'hub.co:8443' }, null, null],
  ['https://hub.co/x', { HTTPS_PROXY: 'http://p:1', no_proxy: '*' }, null, null],
])('%s with %j and the setting %s goes through %s', (address, environment, setting, expected) => {
  expect(proxyFor(new URL(address), proxiesOf(setting, environment))).toBe(expected)
})
