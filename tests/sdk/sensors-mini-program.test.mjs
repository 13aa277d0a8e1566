// SPDX-License-Identifier: Apache-2.0
// sa-sdk-miniprogram, unmodified, in the runtime of a mini-program, with only server_url changed.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, test } from 'node:test';
import { Kith, flakyProxy, missingBinary, sleep, until } from '../support/kith.mjs';
import { openMiniProgram } from '../support/mini-program.mjs';
import { eventsOf, identifierOf } from './support.mjs';

const appid = 'wx3f1a6c0d5e7b2a91';
let kith;
let source;

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start();
  source = await kith.source('wechat_mp_server', 'server', { protocol: 'sensors', channel: 'mini_program' });
});
after(() => kith?.remove());

const serverUrl = (base, key = source.write_key) => `${base}/sa?project=default&token=${key}`;

function launch(url, more = {}) {
  const program = openMiniProgram({ appid, ...more });
  program.sensors.setPara({
    name: 'sensors', server_url: url, autoTrack: false,
    batch_send: more.batch === false ? false : { send_timeout: 200, max_length: 6 },
  });
  program.sensors.init();
  return program;
}

for (const batch of [true, false]) {
  test(`openid, unionid, login and phone make one customer, ${batch ? 'in batches' : 'one by one'}`,
    { skip: missingBinary },
    async () => {
      const tag = batch ? 'b' : 's';
      const program = launch(serverUrl(kith.url), { batch });
      const { sensors } = program;
      sensors.track('MiniProgramOpened', { from: '公众号' });
      sensors.bindOpenid(`openid-${tag}`);
      sensors.setUnionid(`unionid-${tag}`);
      sensors.track('ProductDetailView', { sku: 'S-3', price: 129.5, tags: ['敏感肌', '618'] });
      sensors.login(`member-${tag}`);
      sensors.setProfile({ city: '武汉', level: 3 });
      sensors.bind('$identity_mobile', batch ? '15400004001' : '15400004002');
      sensors.track('SubmitOrder', { order_id: `MP-${tag}`, revenue: 258 });
      const customer = await until('the visit to arrive', async () => {
        const found = await kith.findBy('user_id', `member-${tag}`);
        return found && (await eventsOf(kith, found)).some((event) => event.type === 'SubmitOrder') && found;
      });
      await program.quiet();
      for (const [type, value, namespace] of [
        ['wx_openid', `openid-${tag}`, appid],
        ['wx_unionid', `unionid-${tag}`],
        ['mobile', batch ? '15400004001' : '15400004002'],
      ])
        assert.equal((await kith.customerBy(type, value, namespace)).one_id, customer.one_id, type);
      assert.ok(identifierOf(customer, 'anonymous_id'), 'the phone\'s own id is there');
      const fresh = await kith.get(`/customers/${customer.one_id}`);
      assert.equal(fresh.traits.city, '武汉');
      assert.equal(fresh.traits.level, 3);
      const events = await eventsOf(kith, customer);
      const views = events.filter((event) => event.type === 'ProductDetailView');
      assert.equal(views.length, 1);
      assert.deepEqual(views[0].props.tags, ['敏感肌', '618']);
      assert.equal(views[0].props.price, 129.5);
      assert.equal(views[0].channel, 'mini_program');
      for (const type of ['MiniProgramOpened', 'SubmitOrder'])
        assert.equal(events.filter((event) => event.type === type).length, 1, type);
    });
}

// The SDK takes any answer for success, so only a lost connection makes it come again.
test('a retry after a cut connection counts once', { skip: missingBinary }, async () => {
  const proxy = await flakyProxy(kith.url, (n) => (n === 1 ? 'drop-after' : 'pass'));
  const program = launch(serverUrl(proxy.url));
  program.sensors.bindOpenid('openid-cut');
  for (let n = 0; n < 3; n++) program.sensors.track('RetryView', { n });
  await until('the client to come again', () => proxy.seen.some((one) => one.how === 'pass'), {
    timeoutMs: 60_000,
  });
  await sleep(1500);
  await program.quiet();
  await proxy.close();
  const customer = await kith.customerBy('wx_openid', 'openid-cut', appid);
  const events = (await eventsOf(kith, customer)).filter((event) => event.type === 'RetryView');
  assert.deepEqual(events.map((event) => event.props.n).sort(), [0, 1, 2]);
});

test('a public mini-program proves who it is with a signature', { skip: missingBinary }, async () => {
  const mp = await kith.source('wechat_mp', 'public', { protocol: 'sensors', channel: 'mini_program' });
  const { signing_secret: secret } = await kith.post('/sources/wechat_mp/signing-secret');
  const server = await kith.source('crm');
  await kith.batch(server.write_key, [
    { type: 'identify', messageId: 'crm-signed-0001', userId: 'signed-1', traits: { phone: '15400004003' } },
  ]);
  const known = await kith.customerBy('user_id', 'signed-1');
  const program = launch(serverUrl(kith.url, mp.write_key));
  const signature = createHmac('sha256', secret).update('signed-1').digest('hex');
  program.sensors.track('ProductDetailView', { sku: 'S-9' });
  program.sensors.login('signed-1');
  program.sensors.track('SignedView', { kith_signature: signature });
  await until('the visit to be hers', async () =>
    (await eventsOf(kith, known)).some((event) => event.type === 'SignedView'));
  const customer = await kith.customerBy('user_id', 'signed-1');
  assert.equal(customer.one_id, known.one_id);
  assert.ok(
    (await eventsOf(kith, customer)).some((event) => event.type === 'ProductDetailView'),
    'what she did before she signed in is hers',
  );
});
