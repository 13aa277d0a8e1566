// SPDX-License-Identifier: Apache-2.0
// Tags against the real binary: S8 scores and RFM, S16 stages, values by hand; RFM of a real shop's year equals SQL
// written by hand over its file ("Online Retail", Chen, Sain & Guo 2012, UCI, CC BY 4.0).
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, root, until } from '../support/kith.mjs';
import { expect, identify, refused, track, users } from './support.mjs';

let kith, tokens, shop;
const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const day = (days) => new Date(Date.parse(NOW) + days * 86_400_000).toISOString();

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  tokens = await users(kith);
  shop = await kith.source('shop');
});
after(async () => kith?.remove());

const send = (...events) => kith.batch(shop.write_key, events);
const order = (user, id, revenue, when) =>
  track(user, 'Order Paid', { order_id: id, revenue, currency: 'CNY' }, { timestamp: when });
const put = (key, body) => expect(kith, 200, 'PUT', `/tags/${key}`, { body });
const customer = (user) => expect(kith, 200, 'GET', `/customers/by/user_id/${user}`);
const tagsOf = async (user) => (await customer(user)).tags;
const advance = (text) => expect(kith, 200, 'POST', '/clock', { body: { advance: text } });

test('S16: stages of the life of a customer, in order, by what she did and by time', real, async () => {
  await send(
    identify('ann', { city: '上海' }),
    track('ann', 'Product Viewed', {}, { timestamp: day(0) }),
    order('bob', 'o1', '100.00', day(-200)),
    order('eve', 'o2', '10.00', day(-1)),
    order('eve', 'o3', '20.00', day(0)),
  );
  const stages = [
    { value: 'aware', rule: { event: 'Product Viewed', measure: 'count', gte: 1 } },
    { value: 'purchase', rule: { event: 'Order Paid', measure: 'count', gte: 1 } },
    { value: 'loyal', rule: { event: 'Order Paid', last: '30d', measure: 'days', gte: 2 } },
    { value: 'lost', rule: { event: 'Order Paid', measure: 'recency', gte: 180 } },
  ];
  const stage = await put('stage', { name: 'AIPL', kind: 'stage', stages });
  assert.equal(stage.state, 'live');
  assert.equal(stage.count, 3);
  assert.equal((await tagsOf('ann')).stage, 'aware');
  assert.equal((await tagsOf('bob')).stage, 'lost');
  assert.equal((await tagsOf('eve')).stage, 'loyal');
  await send(order('ann', 'o4', '9.00', day(0)));
  assert.equal((await tagsOf('ann')).stage, 'purchase');
  await advance('31d');
  assert.equal((await tagsOf('eve')).stage, 'purchase');
  const flow = await expect(kith, 200, 'GET', `/tags/stage/history?value=loyal&from=${day(-1)}&step=1d`);
  assert.equal(flow.points.reduce((sum, one) => sum + one.left, 0), 1);
  const loyal = await expect(kith, 200, 'GET', `/tags/stage/members?value=loyal&at=${day(10)}`);
  assert.deepEqual(loyal.items, [(await customer('eve')).one_id]);
  assert.equal((await expect(kith, 200, 'GET', '/tags/stage/members')).items.length, 3);
});

test('S8: a score adds up its parts, decays, says why; weights show who enters before they are saved', real, async () => {
  const now = (await expect(kith, 200, 'GET', '/tags/stage')).as_of;
  await send(...Array.from({ length: 5 }, () => track('kim', 'Task Done', {}, { timestamp: now })), order('kim', 'k1', '50.00', now));
  const parts = [
    { name: 'spent', weight: 0.002, max: 30, measure: { event: 'Order Paid', measure: 'sum', of: 'revenue' } },
    { name: 'tasks', weight: 4, event: 'Task Done', max_per_day: 12, half_life: '10d' },
    { name: 'east', points: 5, rule: { trait: 'city', eq: '上海' } },
  ];
  await put('score', { kind: 'score', max: 100, parts });
  assert.equal((await tagsOf('kim')).score, 22); // 10 for 50 yuan, 5 tasks of 4 capped at 12
  assert.equal((await tagsOf('ann')).score, 6.8); // 9 yuan and Shanghai
  const why = await expect(kith, 200, 'GET', `/tags/score/explain?customer=${(await customer('kim')).one_id}`);
  assert.deepEqual(why.parts, [{ name: 'spent', points: 10 }, { name: 'tasks', points: 12 }, { name: 'east', points: 0 }]);
  await advance('10d');
  assert.equal((await tagsOf('kim')).score, 16);
  const rule = { tag: 'score', gte: 15 };
  assert.equal((await expect(kith, 200, 'PUT', '/segments/high', { body: { rule } })).count, 2); // kim and bob
  const change = await expect(kith, 200, 'POST', '/tags/score/preview-change', {
    body: { kind: 'score', max: 100, parts: parts.slice(0, 1) },
    token: tokens.operator,
  });
  assert.ok(change.changes >= 2);
  await put('score', { kind: 'score', max: 100, parts: parts.slice(0, 1) });
  const high = await expect(kith, 200, 'GET', '/segments/high/members');
  assert.deepEqual(high.items, [(await customer('bob')).one_id]);
  await refused(kith, 409, 'conflict', 'DELETE', '/tags/score');
});

test('S2: what a change of a tag that measures a text would do is counted before it is saved', real, async () => {
  const taken = (user, skin_type, when) => track(user, 'Skin Test Taken', { skin_type }, { timestamp: when });
  const skin = (measure) => ({ kind: 'count', measure: { event: 'Skin Test Taken', measure, of: 'skin_type' } });
  await send(taken('ann', 'dry', day(-9)), taken('ann', 'oily', day(-8)), taken('bob', 'dry', day(-9)));
  const preview = (measure) =>
    expect(kith, 200, 'POST', '/tags/skin/preview-change', { body: skin(measure), token: tokens.operator });
  const told = ({ count, changes, enters, leaves }) => ({ count, changes, enters, leaves });
  assert.deepEqual(told(await preview('last')), { count: 2, changes: 2, enters: 2, leaves: 0 });
  assert.equal((await put('skin', skin('last'))).count, 2);
  assert.equal((await tagsOf('ann')).skin, 'oily');
  assert.deepEqual(told(await preview('last')), { count: 2, changes: 0, enters: 0, leaves: 0 });
  assert.deepEqual(told(await preview('first')), { count: 2, changes: 1, enters: 0, leaves: 0 });
  await expect(kith, 204, 'DELETE', '/tags/skin');
});

test('S8: a part of a score counts the events that its where holds of', real, async () => {
  await put('likes', { kind: 'score', parts: [
    { name: 'cheap', weight: 3, event: 'Order Paid', where: [{ prop: 'revenue', lt: 2000 }] },
    { name: 'spent', weight: 0.01, event: 'Order Paid', of: 'revenue', where: { prop: 'order_id', eq: 'o3' } }] });
  assert.equal((await tagsOf('eve')).likes, 3 + 20);
  assert.equal((await tagsOf('bob')).likes, undefined);
  await expect(kith, 204, 'DELETE', '/tags/likes');
});

test('S8: why 82; who comes into the group of high scores starts a journey, who leaves it another', real, async () => {
  const now = () => expect(kith, 200, 'GET', '/tags/stage').then((tag) => tag.as_of);
  await put('worth', { kind: 'score', max: 100, parts: [
    { name: 'spent', weight: 0.001, max: 60, measure: { event: 'Order Paid', last: '90d', measure: 'sum', of: 'revenue' } },
    { name: 'tasks', weight: 11, event: 'Task Done', max_per_day: 22, half_life: '30d' }] });
  await expect(kith, 200, 'PUT', '/segments/eighty', { body: { name: '高价值', rule: { tag: 'worth', gte: 80 } } });
  const marks = (trait, on) => ({ name: trait, trigger: { type: 'segment', segment: 'eighty', on }, start: 'mark',
    nodes: { mark: { type: 'trait', trait, value: true } } });
  for (const [key, body] of [['greet', marks('greeted', 'enter')], ['miss', marks('missed', 'leave')]]) {
    await expect(kith, 200, 'PUT', `/journeys/${key}`, { body });
    await expect(kith, 200, 'POST', `/journeys/${key}/publish`, { body: {} });
    await until('it is live', async () => (await expect(kith, 200, 'GET', `/journeys/${key}`)).state === 'live');
  }
  const at = await now();
  await send(order('zoe', 'z1', '600.00', at), ...[1, 2].map(() => track('zoe', 'Task Done', {}, { timestamp: at })));
  await until('she is greeted', async () => (await customer('zoe')).traits.greeted === true);
  const zoe = await customer('zoe');
  assert.equal(zoe.tags.worth, 82);
  assert.ok(zoe.segments.includes('eighty'));
  const why = await expect(kith, 200, 'GET', `/tags/worth/explain?customer=${zoe.one_id}`);
  assert.deepEqual(why.parts, [{ name: 'spent', points: 60 }, { name: 'tasks', points: 22 }]);
  const since = await expect(kith, 200, 'GET', `/customers/${zoe.one_id}/memberships`);
  assert.equal(since.items.find((one) => one.key === 'eighty').cause, 'event');
  const used = await expect(kith, 200, 'GET', '/segments/eighty');
  assert.deepEqual(used.used_by.map((one) => one.key).sort(), ['greet', 'miss']);
  await advance('30d'); // half of what the tasks gave
  await until('she is missed', async () => (await customer('zoe')).traits.missed === true);
  assert.equal((await tagsOf('zoe')).worth, 71);
});

test('rule tags, counts, and values by hand', real, async () => {
  await put('size', {
    values: [
      { value: 'big', rule: { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 5000 } },
      { value: 'small', rule: { event: 'Order Paid', measure: 'count', gte: 1 } },
    ],
  });
  await put('orders', { kind: 'count', measure: { event: 'Order Paid', measure: 'count' } });
  const eve = await tagsOf('eve');
  assert.equal(eve.size, 'small');
  assert.equal(eve.orders, 2);
  await put('skin', { kind: 'manual', type: 'text' });
  const given = await expect(kith, 200, 'POST', '/tags/skin/values', {
    body: { values: [
      { customer: { type: 'user_id', value: 'eve' }, value: 'dry' },
      { customer: (await customer('bob')).one_id, value: 'oily' },
      { customer: { type: 'user_id', value: 'nobody' }, value: 'dry' },
    ] },
  });
  assert.deepEqual(given, { changed: 2, unknown: 1 });
  assert.equal((await tagsOf('eve')).skin, 'dry');
  await put('churn', { kind: 'model', type: 'number' });
  await expect(kith, 200, 'POST', '/tags/churn/values', { body: { values: [{ customer: { type: 'user_id', value: 'eve' }, value: 0.25 }] } });
  assert.equal((await tagsOf('eve')).churn, 0.25);
  await expect(kith, 200, 'POST', '/tags/skin/values', { body: { values: [{ customer: { type: 'user_id', value: 'eve' }, value: null }] } });
  assert.equal((await tagsOf('eve')).skin, undefined);
  await refused(kith, 422, 'unprocessable', 'POST', '/tags/churn/values', {
    body: { values: [{ customer: { type: 'user_id', value: 'eve' }, value: 'much' }] },
  });
  await refused(kith, 422, 'unprocessable', 'POST', '/tags/size/values', { body: { values: [{ customer: { type: 'user_id', value: 'eve' }, value: 'x' }] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/tags/bad', { body: { values: [] } });
  await refused(kith, 422, 'unprocessable', 'PUT', '/tags/bad', { body: { kind: 'score', parts: [{ name: 'x' }] } });
  for (const event of [['Task Done', 'Order Paid'], '', 7]) {
    const several = await refused(kith, 422, 'unprocessable', 'PUT', '/tags/bad', { body: { kind: 'score', parts: [{ name: 'x', weight: 1, event }] } });
    assert.equal(several.errors[0].pointer, '/parts/0/event', 'it would count any event');
  }
  const list = await expect(kith, 200, 'GET', '/tags?query=s');
  assert.deepEqual(list.items.map((one) => one.key), ['stage', 'score', 'size', 'orders', 'skin']);
  await expect(kith, 204, 'DELETE', '/tags/churn');
  await kith.kill9();
  await kith.launch();
  const bob = await tagsOf('bob');
  assert.deepEqual(bob, { stage: 'lost', score: 20, size: 'big', orders: 1, skin: 'oily' });
});

const file = process.env.KITH_RETAIL ?? join(root, '../shared/data/online_retail.csv.zst');
const retail = missingBinary || (existsSync(file) ? false : `no ${file}: the data is not part of the project`);
const LATER = '2011-12-10T00:00:00Z';

/** Invoices of known customers: who, when, pence. */
async function readInvoices() {
  const unpack = spawn('zstd', ['-dc', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  const invoices = new Map();
  for await (const line of createInterface({ input: unpack.stdout, crlfDelay: Infinity })) {
    const fields = [...line.matchAll(/("((?:[^"]|"")*)"|[^,]*)(,|$)/g)].map((one) => one[2] ?? one[1]);
    const [invoice, , , quantity, date, price, customerId] = fields;
    if (!/^\d/.test(invoice) || customerId === '' || Number(quantity) <= 0 || Number(price) <= 0) continue;
    const found = invoices.get(invoice) ?? { who: customerId.replace(/\.0$/, ''), at: Infinity, pence: 0 };
    found.at = Math.min(found.at, Date.parse(`${date.replace(' ', 'T')}Z`));
    found.pence += Math.round(Number(quantity) * Math.round(Number(price) * 1000) / 10);
    invoices.set(invoice, found);
  }
  return invoices;
}

/** SQL over the file itself: for every customer her box; thresholds at the ranks ceil(i n / 5). */
const rfmSql = (nowMs) => `
  WITH invoice AS (
    SELECT min(CAST(customer AS INTEGER)) AS who, min(CAST(strftime('%s', date) AS INTEGER)) * 1000 AS at_ms,
           sum(CAST(round(quantity * round(price * 1000) / 10) AS INTEGER)) AS pence
    FROM line
    WHERE invoice GLOB '[0-9]*' AND customer <> '' AND CAST(quantity AS INTEGER) > 0 AND CAST(price AS REAL) > 0
    GROUP BY invoice),
  person AS (
    SELECT who, (${nowMs} + 1 - max(at_ms)) / 86400000 AS recency, count(*) AS frequency, sum(pence) AS monetary
    FROM invoice GROUP BY who),
  ranked AS (
    SELECT *, count(*) OVER () AS people,
           row_number() OVER (ORDER BY recency) AS r,
           row_number() OVER (ORDER BY frequency) AS f,
           row_number() OVER (ORDER BY monetary) AS m
    FROM person),
  cut(i) AS (VALUES (1), (2), (3), (4)),
  edge AS (
    SELECT (SELECT recency FROM ranked WHERE r = (i * people + 4) / 5) AS recency,
           (SELECT frequency FROM ranked WHERE f = (i * people + 4) / 5) AS frequency,
           (SELECT monetary FROM ranked WHERE m = (i * people + 4) / 5) AS monetary
    FROM cut)
  SELECT who || ' ' || (5 - (SELECT count(*) FROM edge WHERE edge.recency < person.recency)) || '-' ||
         (1 + (SELECT count(*) FROM edge WHERE edge.frequency < person.frequency)) || '-' ||
         (1 + (SELECT count(*) FROM edge WHERE edge.monetary < person.monetary))
  FROM person ORDER BY who`;

function rfmBySql(nowMs) {
  const answer = spawnSync(
    'sqlite3',
    [
      ':memory:',
      'CREATE TABLE line (invoice TEXT, sku TEXT, name TEXT, quantity TEXT, date TEXT, price TEXT, customer TEXT, country TEXT)',
      `.import --csv --skip 1 "|zstd -dc '${file}'" line`,
      rfmSql(nowMs),
    ],
    { encoding: 'utf8', maxBuffer: 1 << 24 },
  );
  assert.equal(answer.status, 0, `sqlite3: ${answer.error ?? answer.stderr}`);
  return new Map(answer.stdout.trim().split('\n').map((line) => line.split(' ')));
}

test('RFM of a real shop is what hand-written SQL says, customer by customer', { skip: retail, timeout: 300_000 }, async () => {
  const real_kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: LATER } });
  try {
    const source = await real_kith.source('retail');
    const invoices = await readInvoices();
    const events = [...invoices].map(([id, one]) =>
      track(one.who, 'Order Paid', { order_id: id, revenue: (one.pence / 100).toFixed(2), currency: 'GBP' },
        { timestamp: new Date(one.at).toISOString(), messageId: `retail-${id}` }));
    for (let i = 0; i < events.length; i += 1000) await real_kith.batch(source.write_key, events.slice(i, i + 1000));
    await real_kith.settled();
    const tag = await expect(real_kith, 200, 'PUT', '/tags/rfm', {
      body: {
        kind: 'rfm', quantiles: 5,
        recency: { event: 'Order Paid', measure: 'recency' },
        frequency: { event: 'Order Paid', measure: 'count' },
        monetary: { event: 'Order Paid', measure: 'sum', of: 'revenue' },
      },
    });
    const wanted = rfmBySql(Date.parse(tag.as_of));
    assert.equal(wanted.size, 4338);
    assert.equal(invoices.size, 18532);
    assert.equal(tag.count, wanted.size);
    const wrong = [];
    const people = wanted.entries();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (const [who, box] of people) {
          const { tags } = await expect(real_kith, 200, 'GET', `/customers/by/user_id/${who}`);
          if (tags.rfm !== box) wrong.push({ who, sql: box, kith: tags.rfm });
        }
      }),
    );
    assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${wanted.size} customers differ`);
    const boxes = new Map();
    for (const box of wanted.values()) boxes.set(box, (boxes.get(box) ?? 0) + 1);
    const got = new Map(tag.sizes.filter((one) => one.count > 0).map((one) => [one.value, one.count]));
    assert.deepEqual([...got].sort(), [...boxes].sort());
  } finally {
    await real_kith.remove();
  }
});
