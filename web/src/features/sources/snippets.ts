/* SPDX-License-Identifier: Apache-2.0 */
/* snippets: code to paste, for each SDK, with the address and key of this source in it. Only the host differs
 * from what the SDK's own documentation says.
 */
import type { Schemas } from '@/api/client';

export type Source = Pick<Schemas['Source'], 'key' | 'kind' | 'protocol' | 'signing'>;

export interface Snippet {
  key: string;
  title: string;
  /* where it runs: a secret key may stand in server code alone */
  runs: 'server' | 'browser' | 'mini_program' | 'shell';
  install: string;
  code: string;
}

interface Place {
  /* https://cdp.example.com */
  origin: string;
  writeKey: string;
}

const all: readonly { key: string; title: string; runs: Snippet['runs']; install: string; code: (place: Place) => string }[] = [
  {
    key: 'segment-node', title: '@segment/analytics-node', runs: 'server', install: 'npm install @segment/analytics-node',
    code: ({ origin, writeKey }) => `import { Analytics } from '@segment/analytics-node'

const analytics = new Analytics({ writeKey: '${writeKey}', host: '${origin}' })

analytics.identify({ userId: 'u_1001', traits: { phone: '13900001111', city: '上海' } })
analytics.track({
  userId: 'u_1001',
  event: 'Order Paid',
  properties: { order_id: 'T20260618001', total: 399.00, currency: 'CNY', channel: 'tmall' },
})
await analytics.closeAndFlush()`,
  },
  {
    key: 'rudder-node', title: '@rudderstack/rudder-sdk-node', runs: 'server', install: 'npm install @rudderstack/rudder-sdk-node',
    code: ({ origin, writeKey }) => `import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const client = new RudderAnalytics('${writeKey}', { dataPlaneUrl: '${origin}' })

client.track({ userId: 'u_1001', event: 'Store Visited', properties: { store_id: 'SH021' } })
client.flush()`,
  },
  {
    key: 'sensors-node', title: 'sa-sdk-node', runs: 'server', install: 'npm install sa-sdk-node',
    code: ({ origin, writeKey }) => `const SensorsAnalytics = require('sa-sdk-node')

const sa = new SensorsAnalytics()
sa.submitTo('${origin}/sa?project=default&token=${writeKey}')
sa.track('u_1001', 'ViewProduct', { product_id: 'P1', price: 399 })`,
  },
  {
    key: 'curl', title: 'curl', runs: 'shell', install: '',
    code: ({ origin, writeKey }) => `curl -u '${writeKey}:' '${origin}/v1/batch' \\
  -H 'Content-Type: application/json' \\
  -d '{"batch":[{"type":"track","messageId":"try-1","userId":"u_1001","event":"Order Paid",
       "properties":{"order_id":"T1","total":399.00,"currency":"CNY"}}]}'`,
  },
  {
    key: 'segment-next', title: '@segment/analytics-next', runs: 'browser', install: 'npm install @segment/analytics-next',
    code: ({ origin, writeKey }) => `import { AnalyticsBrowser } from '@segment/analytics-next'

const analytics = AnalyticsBrowser.load(
  { writeKey: '${writeKey}', cdnURL: '${origin}' },
  { integrations: { 'Segment.io': { apiHost: '${hostOf(origin)}/v1', protocol: '${protocolOf(origin)}' } } },
)
analytics.page()
analytics.track('Product Viewed', { product_id: 'P1', name: '舒缓精华', price: 399, currency: 'CNY' })`,
  },
  {
    key: 'rudder-js', title: '@rudderstack/analytics-js', runs: 'browser', install: 'npm install @rudderstack/analytics-js',
    code: ({ origin, writeKey }) => `import { RudderAnalytics } from '@rudderstack/analytics-js'

const rudder = new RudderAnalytics()
rudder.load('${writeKey}', '${origin}', { configUrl: '${origin}' })
rudder.page()
rudder.track('Product Added', { product_id: 'P1', quantity: 1 })`,
  },
  {
    key: 'sensors-js', title: 'sa-sdk-javascript', runs: 'browser', install: 'npm install sa-sdk-javascript',
    code: ({ origin, writeKey }) => `import sensors from 'sa-sdk-javascript'

sensors.init({
  server_url: '${origin}/sa?project=default&token=${writeKey}',
  is_track_single_page: true,
  send_type: 'beacon',
})
sensors.quick('autoTrack')
sensors.login('u_1001')`,
  },
  {
    key: 'sensors-mini-program', title: 'sa-sdk-miniprogram', runs: 'mini_program', install: 'npm install sa-sdk-miniprogram',
    code: ({ origin, writeKey }) => `import sensors from 'sa-sdk-miniprogram'

sensors.setPara({
  server_url: '${origin}/sa?project=default&token=${writeKey}',
  autoTrack: { appLaunch: true, appShow: true, pageShow: true, pageShare: true },
})
sensors.init()
sensors.bind('$identity_mp_unionid', unionid) // 拿到 unionid 后绑定
sensors.login('u_1001')`,
  },
];

const rank: Readonly<Record<string, readonly string[]>> = {
  segment: ['segment-node', 'segment-next', 'rudder-node', 'rudder-js', 'curl'],
  sensors: ['sensors-mini-program', 'sensors-js', 'sensors-node'],
};

export function hostOf(origin: string): string {
  return origin.replace(/^[a-z]+:\/\//, '');
}

function protocolOf(origin: string): string {
  return origin.startsWith('https:') ? 'https' : 'http';
}

export const keyPlaceholder = '<WRITE_KEY>';

/* The snippets that fit the source's kind, those of its protocol first. A server source's key is a secret:
 * no snippet puts it into a page. */
export function snippetsFor(source: Source, origin: string, writeKey: string | null): Snippet[] {
  const place: Place = { origin, writeKey: writeKey ?? keyPlaceholder };
  const order = rank[source.protocol] ?? [];
  const position = (key: string): number => (order.includes(key) ? order.indexOf(key) : order.length);
  return all
    .filter((one) => (source.kind === 'server' ? one.runs === 'server' || one.runs === 'shell' : one.runs === 'browser' || one.runs === 'mini_program' || one.runs === 'shell'))
    .map((one) => ({ ...one, code: one.code(place) }))
    .sort((a, b) => position(a.key) - position(b.key));
}
