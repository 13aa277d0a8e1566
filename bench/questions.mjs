// SPDX-License-Identifier: Apache-2.0
// questions: what is asked of everybody, by the API of a running server, and beside each the same as SQL of its warehouse, in the same run.
//
//   KITH_ADMIN_TOKEN=… node bench/questions.mjs URL FOLDER [times]
//
// FOLDER is that server's data folder. The customers are those of bench/import.mjs goal (a trait `city` of c0 to c299; Order Paid with
// `revenue`, Product Viewed). Times are medians by the clock; processor times are the server's and its child's own, for the child runs at the
// lowest priority. SQL answers less than the API does: it knows no traits, and says neither a sample nor who can be reached.
import { readFileSync, readdirSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';

const [url, folder, times = '5'] = process.argv.slice(2);
const token = process.env.KITH_ADMIN_TOKEN;
if (!url || !folder || !token) {
  console.error('usage: KITH_ADMIN_TOKEN=… node bench/questions.mjs URL FOLDER [times]');
  process.exit(2);
}

async function api(method, path, body) {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text && JSON.parse(text);
}

function ask(sql) {
  const warehouse = join(folder, 'warehouse');
  const socketPath = join(warehouse, readdirSync(warehouse).find((name) => name.startsWith('socket-')));
  return new Promise((done, failed) => {
    const request = http.request({ socketPath, method: 'POST', path: '/' }, (answer) => {
      let text = '';
      answer.on('data', (part) => (text += part));
      answer.on('end', () => (answer.statusCode === 200 ? done(text.trim()) : failed(new Error(text))));
    });
    request.on('error', failed);
    request.end(`${sql} FORMAT TSV`);
  });
}

/** Processes of this folder: the server, and its child. */
const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
  } catch {
    return false;
  }
});
const child = processes.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'warehouse');
const server = processes.filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[1] === 'serve');
const seconds = (pids) => pids.reduce((sum, pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return sum + (Number(fields[11]) + Number(fields[12])) / 100;
}, 0);

async function measure(pids, work) {
  const walls = [];
  let said;
  await work(); // what is read for the first time is said elsewhere
  const before = seconds(pids);
  for (let i = 0; i < Number(times); i++) {
    const start = performance.now();
    said = await work();
    walls.push(performance.now() - start);
  }
  return { ms: walls.sort((a, b) => a - b)[walls.length >> 1], processor: ((seconds(pids) - before) * 1000) / walls.length, said };
}

const two = "SELECT customer, countIf(type = 'Order Paid') AS paid, countIf(type = 'Product Viewed') AS viewed FROM events WHERE type IN ('Order Paid', 'Product Viewed') GROUP BY customer";
const rule = { all: [{ event: 'Order Paid', measure: 'count', gte: 1 }, { event: 'Product Viewed', measure: 'count', gte: 2 }, { trait: 'city', in: ['c1', 'c2', 'c3'] }] };
const rfm = {
  name: 'bench', kind: 'rfm', on: 'customer', recency: { event: 'Order Paid', measure: 'recency' }, frequency: { event: 'Order Paid', measure: 'count' },
  monetary: { event: 'Order Paid', measure: 'sum', of: 'revenue' },
  boxes: [{ name: 'best', r: [5], f: [5] }, { name: 'warm', r: [4, 5] }, { name: 'cool', r: [3] }, { name: 'cold', r: [2] }, { name: 'gone', r: [1] }],
};
async function publish(path, body) {
  await api('PUT', path, body);
  while ((await api('GET', path)).state !== 'live') await new Promise((done) => setTimeout(done, 20));
  const { count } = await api('GET', path);
  return count;
}
let next = 0;
const made = [];
const fresh = (kind, body) => {
  made.push(`/${kind}/bench-${process.pid}-${next++}`);
  return publish(made.at(-1), body);
};

const rows = [
  ['preview: two event conditions and a trait, each counted alone too', async () => (await api('POST', '/segments/preview', { rule })).count,
    `SELECT countIf(paid >= 1 AND viewed >= 2), countIf(paid >= 1), countIf(viewed >= 2) FROM (${two})`],
  ['preview: one event condition', async () => (await api('POST', '/segments/preview', { rule: rule.all[0] })).count,
    "SELECT uniqExact(customer) FROM events WHERE type = 'Order Paid'"],
  ['new segment of the two, computed and live', () => fresh('segments', { name: 'bench', rule }),
    `SELECT groupBitmap(customer) FROM (${two}) WHERE paid >= 1 AND viewed >= 2`],
  ['RFM by quintiles in five boxes, computed and live; SQL: its thresholds alone', () => fresh('tags', rfm),
    'SELECT quantilesExact(0.2, 0.4, 0.6, 0.8)(last), quantilesExact(0.2, 0.4, 0.6, 0.8)(orders), quantilesExact(0.2, 0.4, 0.6, 0.8)(paid) FROM ' +
    "(SELECT customer, max(time_ms) AS last, count() AS orders, sum(revenue) AS paid FROM events WHERE type = 'Order Paid' GROUP BY customer)"],
];
console.log(`| work | by the API | processor | as SQL in chDB | processor | processor, SQL / API |\n|---|---|---|---|---|---|`);
for (const [name, work, sql] of rows) {
  const ours = await measure(server, work);
  const theirs = await measure(child, () => ask(sql));
  const n = (value) => `${Math.round(value)} ms`;
  console.log(`| ${name} | ${n(ours.ms)} | ${n(ours.processor)} | ${n(theirs.ms)} | ${n(theirs.processor)} | ${(theirs.processor / ours.processor).toFixed(1)} |`);
}
for (const path of made) await api('DELETE', path);
