// SPDX-License-Identifier: Apache-2.0
// Server-sent events: entries as they come, with what became of them; filters; a stop that ends the stream.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import http from 'node:http';
import { adminToken, Kith, missingBinary, sleep, until } from '../support/kith.mjs';
import { expect, openapi, refused, track } from './support.mjs';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

let kith, key;
const real = { skip: missingBinary };

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ environment: { KITH_WRITE_KEY: 'wk_of_the_tests' } });
  key = 'wk_of_the_tests';
});
after(async () => kith?.remove());

function stream(path) {
  const events = [];
  const state = { events, ended: false, text: '', status: 0 };
  state.request = http.get(
    { host: '127.0.0.1', port: kith.port, path, agent: false, headers: { authorization: `Bearer ${adminToken}` } },
    (response) => {
      state.status = response.statusCode;
      state.type = response.headers['content-type'];
      response.setEncoding('utf8');
      response.on('data', (part) => {
        state.text += part;
        let end;
        while ((end = state.text.indexOf('\n\n')) >= 0) {
          const block = state.text.slice(0, end);
          state.text = state.text.slice(end + 2);
          const data = /^data: (.*)$/m.exec(block)?.[1];
          if (data) events.push(JSON.parse(data));
        }
      });
      response.on('end', () => (state.ended = true));
      response.on('error', () => (state.ended = true));
    },
  );
  state.request.on('error', () => (state.ended = true));
  return state;
}

test('entries come by themselves, filtered, each as promised', real, async () => {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addSchema(openapi, 'openapi');
  const isLive = ajv.compile({ $ref: 'openapi#/components/schemas/LiveEvent' });
  const all = stream('/api/v1/events/live/stream');
  const some = stream('/api/v1/events/live/stream?type=Wanted&outcome=applied');
  await until('both to be open', () => all.status === 200 && some.status === 200);
  assert.equal(all.type, 'text/event-stream');
  await kith.batch(key, [track('s1', 'Wanted', { mobile: '13987650042' }), track('s1', 'Other')]);
  await until('the entries', () => all.events.filter((one) => one.outcome === 'applied').length >= 2);
  await until('the wanted one', () => some.events.length === 1);
  for (const event of all.events) assert.ok(isLive(event), ajv.errorsText(isLive.errors));
  assert.equal(some.events[0].type, 'Wanted');
  assert.ok(!JSON.stringify(all.events).includes('13987650042'));
  all.request.destroy();
  some.request.destroy();
});

test('a hundred streams, then no more', real, async () => {
  await until('the former ones to be gone', async () =>
    /^kith_http_streams 0$/m.test(await expect(kith, 200, 'GET', '/metrics', { base: '', token: null })));
  const streams = Array.from({ length: 100 }, () => stream('/api/v1/events/live/stream'));
  await until('all to be open', () => streams.filter((one) => one.status === 200).length === 100, { timeoutMs: 20_000 });
  await refused(kith, 429, 'busy', 'GET', '/events/live/stream');
  await kith.batch(key, [track('s2', 'For all')]);
  await until('everybody to have it', () => streams.every((one) => one.events.length > 0));
  for (const one of streams) one.request.destroy();
  await until('room again', async () => {
    const one = stream('/api/v1/events/live/stream');
    await sleep(300);
    const good = one.status === 200;
    one.request.destroy();
    return good;
  });
  await refused(kith, 400, 'invalid', 'GET', '/events/live/stream?outcome=odd');
  await expect(kith, 200, 'GET', '/healthz', { base: '', token: null });
});

test('the stop of the server ends streams at once', real, async () => {
  const one = stream('/api/v1/events/live/stream');
  await until('it to be open', () => one.status === 200);
  const start = Date.now();
  const how = await kith.stop();
  assert.equal(how.code, 0);
  assert.ok(Date.now() - start < 8000);
  await until('the end of the stream', () => one.ended);
});
