// SPDX-License-Identifier: Apache-2.0
// J4 and J5 on random data. A house that imported and undid, with live events before, in between and after, shows the
// same as one that never imported; and a file brings the same as the same rows through the door.
//
// KITH_SEED repeats a run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, binary, missingBinary, until } from '../support/kith.mjs';
import { ask, expect } from './support.mjs';

const real = { skip: missingBinary };
const seed = Number(process.env.KITH_SEED ?? Date.now() % 1_000_000);

function stream(start) {
  let state = start >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

// People with a login, and others of whom only an e-mail is known: an import that puts the two into one row merges
// them, and no limit stands against it.
const LOGINS = 30;
const MAILS = 30;
const login = (i) => `u${i}`;
const card = (i) => `card${i}`;
const mail = (i) => `lone${i}@shop.qq.com`;
const at = (day) => new Date(Date.UTC(2025, 0, 1) + day * 86_400_000).toISOString();

function liveEvent(random, id) {
  const who = random(LOGINS);
  const event = { messageId: `live-${id}`, timestamp: at(random(300)) };
  const cards = random(3) === 0 ? { externalIds: [{ type: 'member_card', id: card(who), collection: 'users' }] } : {};
  switch (random(6)) {
    case 0:
      return { ...event, type: 'identify', userId: login(who), traits: { city: `c${random(5)}`, level: random(9) }, context: cards };
    case 1: // a lone e-mail
      return { ...event, type: 'identify', traits: { email: mail(random(MAILS)), hobby: `h${random(4)}` }, anonymousId: `a${random(20)}` };
    case 2:
      return { ...event, type: 'track', userId: login(who), event: 'Page Viewed', properties: {}, context: cards };
    default: {
      const order = random(60); // shared with the file's
      const type = ['Order Paid', 'Order Completed', 'Order Refunded', 'Order Cancelled'][random(4)];
      const properties = { order_id: `o${who}-${order % 4}`, currency: 'CNY', revenue: 1 + random(500), total: 1 + random(100) };
      return { ...event, type: 'track', userId: login(who), event: type, properties, context: cards };
    }
  }
}

const header = 'id,user,card,mail,time,event,order,amount,city,level';
function fileRow(random, id) {
  const who = random(LOGINS);
  const lone = random(4) === 0 ? mail(who) : ''; // always the same two: whom it merges
  const event = ['Order Paid', 'Order Refunded', 'Order Cancelled', 'Visited'][random(4)];
  return [id, login(who), random(2) ? card(who) : '', lone, at(random(300)), event, `o${who}-${random(4)}`, 1 + random(500), random(2) ? `c${random(5)}` : '', random(9)];
}

const mapping = {
  kind: 'events',
  columns: {},
  zone: '+00:00',
  time: '[time]',
  identifiers: [
    { type: 'user_id', value: '[user]' },
    { type: 'member_card', value: '[card]' },
    { type: 'email', value: '[mail]' },
  ],
  key: '[id]',
  currency: 'CNY',
  traits: { city: '[city]', level: { expression: '[level]', type: 'number' } },
  properties: { order_id: '[order]', revenue: { expression: '[amount]', type: 'money' }, total: { expression: '[amount]', type: 'money' } },
  events: [{ event: '[event]', time: '[time]' }],
};

async function bring(kith, rows, dataSet, how = mapping) {
  const bytes = Buffer.from([header, ...rows.map((row) => row.join(','))].join('\n') + '\n');
  const made = await expect(kith, 201, 'POST', '/uploads', { body: { name: 'x.csv', size_bytes: bytes.length } });
  await expect(kith, 200, 'PUT', `/uploads/${made.id}?offset=0`, { body: bytes });
  const job = await expect(kith, 202, 'POST', '/imports', { body: { file: `upload:${made.id}`, mapping: how, data_set: dataSet } });
  return state(kith, job.id, 'finished');
}
const state = (kith, id, status) =>
  until(`job ${id} to be ${status}`, async () => {
    const job = await expect(kith, 200, 'GET', `/jobs/${id}`);
    if (job.status === 'failed') throw new Error(job.reason);
    return job.status === status && job;
  });

/** All that can be seen, without names that depend on what else happened: by every identifier of the world. */
async function look(kith) {
  const seen = {};
  const asked = [
    ...Array.from({ length: LOGINS }, (_, i) => ['user_id', login(i)]),
    ...Array.from({ length: LOGINS }, (_, i) => ['member_card', card(i)]),
    ...Array.from({ length: MAILS }, (_, i) => ['email', mail(i)]),
  ];
  for (const [type, value] of asked) {
    const answer = await ask(kith, 'GET', `/customers/by/${type}/${encodeURIComponent(value)}?reveal=true`);
    if (answer.status === 404) continue;
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    const { identifiers, traits, summary, one_id } = answer.json;
    const events = (await expect(kith, 200, 'GET', `/customers/${one_id}/events?limit=500`)).items;
    seen[`${type}:${value}`] = {
      identifiers: identifiers.map((one) => `${one.type}:${one.value}`).sort(),
      traits,
      summary,
      events: events.map((one) => `${one.type} ${one.time ?? one.at}`).sort(),
    };
  }
  seen.customers = (await expect(kith, 200, 'GET', '/system')).counts.customers;
  return seen;
}

/** A replay of the log into an empty folder comes to the same digest. Stops the house. */
async function replaysToTheSame(kith) {
  const into = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  const run = (...more) => promisify(execFile)(binary, [...more, '--data', kith.folder, '--quiet']);
  try {
    await kith.stop();
    const told = (await run('digest')).stdout, digest = /[0-9a-f]{16,}/.exec(told)?.[0];
    assert.ok(digest, told);
    const { stdout } = await run('rebuild', '--into', join(into, 'x'));
    assert.ok(stdout.includes(digest), `${told}${stdout}`);
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

const send = async (kith, key, events) => {
  for (let i = 0; i < events.length; i += 20) await kith.batch(key, events.slice(i, i + 20));
};

async function house() {
  const kith = await Kith.start();
  // everything is looked at in clear, more often than a person may
  await expect(kith, 200, 'PUT', '/settings/access.reveals_per_minute', { body: { value: 1_000_000 } });
  const source = await expect(kith, 201, 'POST', '/sources', { body: { key: 'shop', kind: 'server' } });
  return { kith, key: source.write_key };
}

test(`undo leaves what there would be without the import (seed ${seed})`, real, async () => {
  const random = stream(seed);
  const live = Array.from({ length: 240 }, (_, i) => liveEvent(random, i));
  const rows = Array.from({ length: 200 }, (_, i) => fileRow(random, i));
  const one = await house();
  const other = await house();
  try {
    await send(one.kith, one.key, live.slice(0, 80));
    const job = await bring(one.kith, rows, 'a');
    assert.ok(job.counts.merges > 0 && job.counts.events > 200, JSON.stringify(job.counts));
    await send(one.kith, one.key, live.slice(80, 160));
    await send(other.kith, other.key, live.slice(0, 160));
    assert.notDeepEqual(await look(one.kith), await look(other.kith));
    await expect(one.kith, 202, 'POST', `/imports/${job.id}/undo`);
    await send(one.kith, one.key, live.slice(160, 200));
    await state(one.kith, job.id, 'undone');
    await send(one.kith, one.key, live.slice(200));
    await send(other.kith, other.key, live.slice(160));
    const never = await look(other.kith);
    assert.deepEqual(await look(one.kith), never);
    await one.kith.stop();
    await one.kith.launch();
    assert.deepEqual(await look(one.kith), never);
  } finally {
    await one.kith.remove();
    await other.kith.remove();
  }
});

test(`a corrected file leaves what the second alone would bring (seed ${seed})`, real, async () => {
  const random = stream(seed + 1);
  const rows = Array.from({ length: 150 }, (_, i) => fileRow(random, i));
  const corrected = rows.map((row) => (random(3) === 0 ? [...row.slice(0, 7), 1 + random(900), ...row.slice(8)] : row));
  const one = await house();
  const other = await house();
  try {
    await bring(one.kith, rows, 'a');
    const second = await bring(one.kith, corrected, 'a');
    assert.ok(second.counts.replaced > 0);
    await bring(other.kith, corrected, 'a');
    assert.deepEqual(await look(one.kith), await look(other.kith));
  } finally {
    await one.kith.remove();
    await other.kith.remove();
  }
});

test(`a file brings the same as its rows through the door (seed ${seed})`, real, async () => {
  const random = stream(seed + 2);
  const rows = Array.from({ length: 200 }, (_, i) => fileRow(random, i));
  // twice in the file, and in another order; a masked phone of a receiver names nobody
  const twice = [...rows, ...rows.filter(() => random(4) === 0)]
    .map((row) => [random(1_000_000), row])
    .sort((a, b) => a[0] - b[0])
    .map(([, row]) => row);
  const masked = { ...mapping, identifiers: [...mapping.identifiers, { type: 'mobile', value: { constant: '138****8000' } }] };
  const one = await house();
  const other = await house();
  try {
    // of some an e-mail is known: their rows merge them
    const known = Array.from({ length: MAILS }, (_, i) => ({ type: 'identify', messageId: `known-${i}`, timestamp: at(0), anonymousId: `a${i}`, traits: { email: mail(i) } }));
    for (const { kith, key } of [one, other]) await send(kith, key, known);
    // in two files that overlap: what the second has again counts once
    const first = await bring(one.kith, twice.slice(0, 140), 'a', masked);
    const second = await bring(one.kith, twice.slice(100), 'a', masked);
    assert.ok(first.counts.merges + second.counts.merges > 0 && second.counts.duplicates >= 80, JSON.stringify(second.counts));
    assert.equal(first.counts.events + second.counts.events, 2 * rows.length);
    const door = twice.flatMap(([id, user, cardNo, lone, time, event, order, amount, city, level]) => [
      {
        type: 'track', messageId: `row-${id}`, timestamp: time, userId: user, event,
        properties: { order_id: order, revenue: amount, total: amount, currency: 'CNY' },
        context: {
          historical: true,
          traits: { ...(lone ? { email: lone } : {}), phone: '138****8000' },
          externalIds: cardNo ? [{ type: 'member_card', id: cardNo, collection: 'users' }] : [],
        },
      },
      { type: 'identify', messageId: `traits-${id}`, timestamp: time, userId: user, traits: { ...(city ? { city } : {}), level } },
    ]);
    await send(other.kith, other.key, door);
    const by = (seen) => Object.fromEntries(Object.entries(seen).map(([key, value]) => [key, value.summary
      ? { identifiers: value.identifiers, city: value.traits.city, level: value.traits.level, orders: value.summary.orders, revenue: value.summary.revenue, refunded: value.summary.refunded }
      : value]));
    assert.deepEqual(by(await look(one.kith)), by(await look(other.kith)));
    await replaysToTheSame(one.kith);
  } finally {
    await one.kith.remove();
    await other.kith.remove();
  }
});
