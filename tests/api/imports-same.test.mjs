// SPDX-License-Identifier: Apache-2.0
// J5: the outcome does not depend on the path. The same random people come into one house through the door, one by one, and into
// another as files: the same identifiers are one customer, with the same traits and the same sums; and a clean replay of the log of
// the second comes to its digest. KITH_SEED repeats a run.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Kith, binary, missingBinary, until } from '../support/kith.mjs';
import { random } from '../s1/support.mjs';

const seed = Number(process.env.KITH_SEED ?? Math.floor(Math.random() * 2 ** 31));
const run = promisify(execFile);
const PEOPLE = 60;
const ROWS = 3000;

/** Each row knows a person by some of her names, now and then by one of another: what merges, what is refused and what a weak
 * identifier does is the same as far as the rows are. */
function world(chance) {
  const below = (n) => Math.floor(chance() * n);
  const rows = [];
  for (let i = 0; i < ROWS; i++) {
    const person = below(PEOPLE), other = chance() < 0.02 ? below(PEOPLE) : person;
    const row = { id: `r${i}`, at: new Date(Date.UTC(2025, 0, 1) + below(200 * 86_400) * 1000).toISOString() };
    const names = 1 + below(7);
    if (names & 1) row.user = `u${person}`;
    else row.visitor = `a${person}-${below(3)}`; // the door wants one of both
    if (names & 2) row.union = `x${other}`;
    if (names & 4) row.phone = `1391234${String(5000 + person * 7)}`;
    if (chance() < 0.4) row.device = `d${below(PEOPLE * 2)}`;
    if (chance() < 0.3) {
      row.kind = 'member';
      row.level = `l${below(4)}`;
      row.city = ['上海', '杭州', '成都'][below(3)];
      row.points = below(1000);
    } else {
      row.kind = 'event';
      row.event = ['Order Paid', 'Order Paid', 'Product Viewed', 'Order Refunded'][below(4)];
      // an order is one person's; several rows may tell of it
      if (row.event.startsWith('Order')) row.order = `o${person}-${below(12)}`;
      if (row.event === 'Order Paid') row.revenue = (below(50_000) / 100).toFixed(2);
      if (row.event === 'Order Refunded') row.revenue = (below(500) / 100).toFixed(2);
    }
    rows.push(row);
  }
  return rows;
}

const common = {
  zone: '+00:00',
  currency: 'CNY',
  columns: {},
  key: '[id]',
  identifiers: [
    { type: 'user_id', value: '[user?]' },
    { type: 'mobile', value: '[phone?]' },
    { type: 'wx_unionid', value: '[union?]' },
    { type: 'anonymous_id', namespace: 'shop', value: '[visitor?]' },
    { type: 'device', value: '[device?]' },
  ],
};
const members = { ...common, kind: 'customers', time: '[at]', traits: { level: '[level]', city: '[city]', points: { value: '[points]', type: 'integer' } } };
const events = {
  ...common,
  kind: 'events',
  properties: { order_id: '[order?]', revenue: { expression: '[revenue?]', type: 'money' } },
  events: [{ event: '[event]', time: '[at]' }],
};

function item(row) {
  const context = {
    ...(row.device ? { device: { id: row.device } } : {}),
    externalIds: [
      ...(row.union ? [{ type: 'wx_unionid', id: row.union, collection: 'users' }] : []),
      ...(row.phone ? [{ type: 'mobile', id: row.phone, collection: 'users' }] : []),
    ],
  };
  const head = { messageId: row.id, timestamp: row.at, ...(row.user ? { userId: row.user } : { anonymousId: row.visitor }), context };
  if (row.kind === 'member') return { ...head, type: 'identify', traits: { level: row.level, city: row.city, points: row.points } };
  return {
    ...head,
    type: 'track',
    event: row.event,
    properties: { ...(row.order ? { order_id: row.order } : {}), ...(row.revenue ? { revenue: Number(row.revenue), currency: 'CNY' } : {}) },
  };
}

/** Customers by their names: which belong together, what is known of them, what they bought. */
async function people(kith) {
  const found = new Map();
  const names = Array.from({ length: PEOPLE }, (_, i) => [['user_id', `u${i}`], ['mobile', `1391234${String(5000 + i * 7)}`], ['wx_unionid', `x${i}`]]).flat();
  names.push(...Array.from({ length: PEOPLE * 2 }, (_, i) => ['device', `d${i}`]));
  for (const [type, value] of names) {
    const customer = await kith.findBy(type, value);
    if (customer === undefined) continue;
    const known = found.get(customer.one_id) ?? { customer, names: [] };
    known.names.push(`${type}:${value}`);
    found.set(customer.one_id, known);
  }
  return [...found.values()]
    .map(({ customer, names: hers }) => ({
      names: hers.sort(),
      traits: ['level', 'city', 'points'].map((name) => customer.traits?.[name] ?? null),
      sums: ['events', 'orders', 'revenue', 'refunded', 'first_order_at', 'last_order_at', 'first_seen_at', 'last_seen_at'].map((name) => customer.summary[name] ?? null),
    }))
    .sort((a, b) => (a.names[0] < b.names[0] ? -1 : 1));
}

test(`one by one or in bulk, the outcome is the same (seed ${seed})`, { skip: missingBinary }, async () => {
  const rows = world(random(seed));
  const folder = mkdtempSync(join(tmpdir(), 'kith-import-'));
  const rebuilt = mkdtempSync(join(tmpdir(), 'kith-rebuilt-'));
  const door = await Kith.start();
  const bulk = await Kith.start({ arguments: ['--import-folder', folder] });
  try {
    // In files a kind comes after the other, and so it does through the door.
    const ordered = [...rows.filter((row) => row.kind === 'member'), ...rows.filter((row) => row.kind === 'event')];
    const { write_key: key } = await door.source('shop');
    for (let at = 0; at < ordered.length; at += 50) await door.batch(key, ordered.slice(at, at + 50).map(item));
    await door.settled();

    for (const [name, kind, mapping] of [['members', 'member', members], ['events', 'event', events]]) {
      writeFileSync(join(folder, `${name}.jsonl`), ordered.filter((row) => row.kind === kind).map((row) => JSON.stringify(row)).join('\n') + '\n');
      const { id } = await bulk.post('/imports', { file: `path:${name}.jsonl`, mapping, data_set: name });
      const job = await until('the job to end', async () => {
        const now = await bulk.get(`/jobs/${id}`);
        return ['finished', 'failed'].includes(now.status) && now;
      });
      assert.equal(job.status, 'finished', job.reason);
      assert.equal(job.counts.refused, 0);
    }
    await bulk.settled();

    const one = await people(door), other = await people(bulk);
    assert.ok(one.length > PEOPLE / 2, `${one.length} customers`);
    assert.deepEqual(other, one);

    await bulk.flushed();
    await bulk.stop();
    const told = await run(binary, ['digest', '--data', bulk.folder, '--quiet']);
    const replayed = await run(binary, ['rebuild', '--data', bulk.folder, '--into', join(rebuilt, 'x'), '--quiet']);
    const digest = /digest=([0-9a-f]+)/.exec(told.stdout)?.[1] ?? told.stdout.trim();
    assert.ok(digest.length > 0 && replayed.stdout.includes(digest), `${told.stdout}${replayed.stdout}`);
  } finally {
    await door.remove();
    await bulk.remove();
    rmSync(folder, { recursive: true, force: true });
    rmSync(rebuilt, { recursive: true, force: true });
  }
});
