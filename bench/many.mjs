// SPDX-License-Identifier: Apache-2.0
// many: events through the doors while many definitions are live, and how long after its acknowledgement an event is seen in a segment.
//
//     node bench/many.mjs [CUSTOMERS] [SEGMENTS] [TAGS] [RATE] [SECONDS]      default 100000 500 2000 10000 15
//
// Customers with five events each, then tags and segments by the API, such as a brand has: by type, category, channel and store,
// through windows of 7 to 365 days, over thresholds; traits, counted tags, stages, scores, RFM; segments of tags. All from one
// seed. Then a closed loop (events a second), an open loop at RATE, and beside it somebody whose event makes her a member: from
// its acknowledgement to GET /customers/{id} that says so. KITH_BUILD as for bench/run.
import { execFile } from 'node:child_process';
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, sleep } from '../tests/support/kith.mjs';

const [customers, segments, tags, rate, seconds] = [100_000, 500, 2000, 10_000, 15].map((otherwise, i) => Number(process.argv[i + 2] ?? otherwise));
const build = process.env.KITH_BUILD ?? 'build/release';
const folder = mkdtempSync(join(tmpdir(), 'kith-bench-'));

let state = 20_261_122;
const below = (bound) => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((state / 2 ** 32) * bound);
};
const pick = (list) => list[below(list.length)];
const types = ['Page Viewed', 'Product Viewed', 'Product Added', 'Order Paid', 'Coupon Claimed', 'Coupon Used', 'Message Opened', 'Store Visited', 'Content Shared', 'Signed In', 'Video Watched', 'Review Written'];
const channels = ['web', 'mp_server', 'tmall', 'jd', 'douyin', 'store'];

// ---- definitions ----

function heard(paid) {
  const what = below(20), window = below(5);
  const where = what < 8 ? [] : what < 13 ? [{ prop: 'category', eq: `c${below(30)}` }] : what < 17 ? [{ prop: 'shop', eq: pick(channels) }] : [{ prop: 'store', eq: `s${below(60)}` }];
  return {
    event: paid || below(4) === 0 ? 'Order Paid' : pick(types), ...(where.length > 0 ? { where } : {}),
    ...(window < 4 ? { last: ['7d', '30d', '90d', '365d'][window] } : {}),
  };
}

function condition() {
  const what = below(20);
  if (what < 2) return { trait: 'city', in: [pick(['shanghai', 'beijing', 'chengdu', 'wuhan'])] };
  if (what < 14) return { ...heard(false), measure: 'count', gte: pick([1, 2, 3, 5, 10]) };
  if (what < 17) return { ...heard(true), measure: 'sum', of: 'revenue', gte: pick([10_000, 50_000, 100_000]) };
  if (what < 18) return { ...heard(true), measure: 'count', eq: 0 };
  return { ...heard(true), measure: 'recency', lte: pick([7, 30, 90]) };
}

function tag(number) {
  const what = below(20), one = heard(false);
  if (number < 2)
    return { kind: 'rfm', recency: { event: 'Order Paid', measure: 'recency' }, frequency: { event: 'Order Paid', measure: 'count' }, monetary: { event: 'Order Paid', measure: 'sum', of: 'revenue' } };
  if (what < 10) return { values: [9, 4, 1].map((least) => ({ value: `v${least}`, rule: { ...one, measure: 'count', gte: least } })) };
  if (what < 13) return { kind: 'count', measure: { ...one, measure: 'count' } };
  if (what < 14) return { kind: 'count', measure: { ...heard(true), measure: 'sum', of: 'revenue' } };
  if (what < 16) return { kind: 'stage', stages: [{ value: 'a', rule: condition() }, { value: 'b', rule: condition() }] };
  if (what < 17) return { kind: 'score', parts: [{ name: 'a', points: 10, rule: condition() }, { name: 'b', points: 5, rule: condition() }] };
  return { values: [{ value: 'yes', rule: { all: [condition(), condition()] } }] };
}

const segment = () => ({ rule: { all: [condition(), below(2) === 0 ? { tag: `t${below(tags)}`, is_set: true } : condition()] } });

async function inParallel(count, width, run) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => { while (next < count) await run(next++); }));
}

async function putAll(kith, kind, bodies) {
  const began = performance.now();
  await inParallel(bodies.length, 16, (i) => kith.put(`/${kind}/${kind[0]}${i}`, bodies[i]));
  const put = performance.now();
  for (;;) {
    const { items } = await kith.get(`/${kind}`);
    if (items.every((item) => item.state === 'live')) break;
    await sleep(200);
  }
  console.log(`${bodies.length} ${kind}: put in ${((put - began) / 1000).toFixed(1)} s, all live after ${((performance.now() - put) / 1000).toFixed(1)} s more`);
}

// ---- events ----

const event = (id, at) => {
  const what = below(24);
  const name = what < 8 ? types[0] : what < 13 ? types[1] : what < 15 ? types[2] : what < 16 ? types[3] : types[what - 12];
  return {
    type: 'track', messageId: `b000000-${id}`, userId: `u${below(customers)}`, event: name, ...(at ? { timestamp: at } : {}),
    properties: { category: `c${below(30)}`, store: `s${below(60)}`, shop: pick(channels), currency: 'CNY', ...(name === 'Order Paid' ? { order_id: `o${id}`, revenue: below(1000) } : {}) },
  };
};

async function writeBodies(name, count, writeKey, make) {
  const out = createWriteStream(join(folder, name));
  for (let i = 0; i < count; i += 100) {
    const batch = Array.from({ length: 100 }, (_, k) => make(i + k));
    if (!out.write(`${JSON.stringify({ batch, writeKey })}\n`)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}

const load = (kith, name, more) => new Promise((done, fail) =>
  execFile(join(build, 'bench/load'), ['--port', String(kith.port), '--file', join(folder, name), '--path', '/v1/batch', ...more], { maxBuffer: 1 << 24 },
    (error, stdout, stderr) => (error ? fail(new Error(stderr)) : done(JSON.parse(stdout.trim().split('\n').at(-1))))));

const quantile = (list, share) => list.sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))]?.toFixed(1);

/** One after another: an event that makes her a member, until she is seen to be one. */
async function probe(kith, key, until) {
  const waits = [];
  for (let i = 0; performance.now() < until; i++) {
    const who = `probe${i}`;
    await kith.batch(key, [{ type: 'track', userId: who, event: 'Page Viewed', messageId: `p1-${who}-${until}`, properties: {} }]);
    const { one_id: oneId } = await kith.customerBy('user_id', who).catch(() => sleep(100).then(() => kith.customerBy('user_id', who)));
    await kith.batch(key, [{ type: 'track', userId: who, event: 'Probed', messageId: `p2-${who}-${until}`, properties: {} }]);
    const acknowledged = performance.now();
    while (!(await kith.get(`/customers/${oneId}`)).segments.includes('probed')) if (performance.now() - acknowledged > 10_000) throw new Error('not a member in 10 s');
    waits.push(performance.now() - acknowledged);
    await sleep(20);
  }
  return waits;
}

const kith = await Kith.start();
try {
  const { write_key: key } = await kith.source('bench');
  const cities = ['shanghai', 'beijing', 'chengdu', 'wuhan'];
  const day = (i) => new Date(Date.now() - ((i * 37) % 180) * 86_400_000 - 60_000).toISOString();
  await writeBodies('past.jsonl', customers * 5, key, (i) => ({
    ...event(i, day(i)), userId: `u${i % customers}`, context: { historical: true, ...(i < customers ? { traits: { city: cities[i % 4] } } : {}) },
  }));
  await writeBodies('now.jsonl', 200_000, key, (i) => event(`n${i}`));
  let began = performance.now();
  await load(kith, 'past.jsonl', ['--count', String(customers * 5), '--seconds', '600', '--connections', '8', '--retry']);
  await kith.batch(key, [{ type: 'identify', userId: 'first', messageId: 'first-identify', traits: { city: 'shanghai' } }, { type: 'track', userId: 'first', event: 'Probed', messageId: 'first-probed', properties: {} }]);
  await kith.settled({ timeoutMs: 600_000 });
  console.log(`${customers} customers, ${customers * 5} events: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  await putAll(kith, 'tags', Array.from({ length: tags }, (_, i) => tag(i)));
  await putAll(kith, 'segments', Array.from({ length: segments }, segment));
  await kith.put('/segments/probed', { rule: { event: 'Probed', measure: 'count', gte: 1 } });
  await sleep(2000);
  const before = await kith.settled({ timeoutMs: 600_000 });
  began = performance.now();
  await load(kith, 'now.jsonl', ['--seconds', String(seconds), '--connections', '16', '--retry', '--pass', '2']);
  const after = await kith.settled({ timeoutMs: 600_000 });
  const records = after.log.last_seq - before.log.last_seq;
  console.log(`closed loop until all is applied: ${Math.round((records / (performance.now() - began)) * 1000)} events/s`);
  const [open, waits] = await Promise.all([
    load(kith, 'now.jsonl', ['--seconds', String(seconds), '--rate', String(rate), '--connections', '32', '--retry', '--pass', '1000']),
    probe(kith, key, performance.now() + seconds * 1000),
  ]);
  console.log(`at ${rate} events/s: ${JSON.stringify(open)}`);
  console.log(`acknowledged to member, ${waits.length} of them: p50 ${quantile(waits, 0.5)} ms, p99 ${quantile(waits, 0.99)} ms, worst ${quantile(waits, 1)} ms`);
} finally {
  await kith.remove();
  rmSync(folder, { recursive: true, force: true });
}
