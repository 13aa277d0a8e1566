// SPDX-License-Identifier: Apache-2.0
// import: how fast files come in. Order lines in GB18030 CSV (several lines make one event) and events in UTF-8 CSV, from
// a path, with two SDK writers beside it whose latency is told.
//
//     node bench/import.mjs [ROWS]              default 1,000,000; KITH_BINARY as in the tests
//     node bench/import.mjs goal [EVENTS]       JSON lines: events (default 6,000,000) of an eighth as many members, with
//                                               their list before them; identities resolved, ready to query (import_files.c
//                                               writes them)
//     node bench/import.mjs parquet [EVENTS]    the same world as Parquet
//     node bench/import.mjs both [EVENTS]       one after the other, each by a server of its own, and the ratio
//     node bench/import.mjs gb18030 [LINES]     one file of order lines in GB18030
//
// KITH_BENCH_FILES=DIR keeps the files there and takes them from there the next time; KITH_BENCH_PAUSE=SECONDS waits before
// each file, so that a profiler can be put to the server whose process id is told.
import { execFileSync } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Kith, sleep } from '../tests/support/kith.mjs';
import { askWarehouse } from '../tests/support/warehouse.mjs';

const what = ['goal', 'parquet', 'both', 'gb18030'].includes(process.argv[2]) ? process.argv[2] : 'all';
const rows = Number(process.argv[what === 'all' ? 2 : 3] ?? (['goal', 'parquet', 'both'].includes(what) ? 6_000_000 : 1_000_000));
const kept = process.env.KITH_BENCH_FILES;
const folder = kept ? join(kept, String(rows)) : mkdtempSync(join(tmpdir(), 'kith-bench-'));
if (kept) mkdirSync(folder, { recursive: true });

async function write(name, header, line, count = rows, encoding = 'utf8') {
  const path = join(folder, name);
  if (existsSync(path)) return;
  const out = createWriteStream(`${path}.part`);
  let text = header === undefined ? '' : header + '\n';
  for (let i = 0; i < count; i++) {
    text += line(i) + '\n';
    if (text.length > 1 << 20) {
      if (!out.write(Buffer.from(text, encoding))) await once(out, 'drain');
      text = '';
    }
  }
  out.end(Buffer.from(text, encoding));
  await once(out, 'finish');
  renameSync(`${path}.part`, path);
}

const users = Math.max(1000, Math.floor(rows / 8));
const time = (i) => new Date(Date.UTC(2024, 0, 1) + (i % 500_000) * 60_000).toISOString().slice(0, 19).replace('T', ' ');
const events = {
  kind: 'events', zone: '+08:00', currency: 'CNY', columns: {}, key: '[id]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { page: '[page]', n: { expression: '[n]', type: 'integer' } },
  events: [{ event: 'Page Viewed', time: '[time]' }],
};
const orders = {
  kind: 'events', zone: '+08:00', currency: 'CNY', columns: {}, key: '[order]',
  identifiers: [{ type: 'user_id', value: '[user]' }],
  properties: { order_id: '[order]', revenue: { expression: 'sum([amount])', type: 'money' } },
  lines: { group_by: '[order]', into: 'products', columns: { product_id: '[sku]', name: '[title]', quantity: '[n]' } },
  events: [{ event: 'Order Paid', time: '[time]' }],
};

const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** The children of a process: the warehouse, and whoever reads Parquet. */
const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((id) => readFileSync(`/proc/${pid}/task/${id}/children`, 'utf8').split(' ').filter(Boolean));

/** Processor time of each thread so far, the busy ones, and of the children. */
function threads(pid) {
  const ticks = (path) => {
    const stat = readFileSync(path, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  for (const child of childrenOf(pid)) console.log(`  child ${child}: ${ticks(`/proc/${child}/stat`).toFixed(1)} s, ${Math.round(memory(child))} MB`);
  const busy = readdirSync(`/proc/${pid}/task`)
    .map((id) => {
      const stat = readFileSync(`/proc/${pid}/task/${id}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return [stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')), (Number(fields[11]) + Number(fields[12])) / 100];
    })
    .filter(([, seconds]) => seconds > 0.3);
  console.log(`  threads, s: ${busy.map(([name, seconds]) => `${name} ${seconds.toFixed(1)}`).join(', ')}`);
}

async function bring(kith, file, mapping, dataSet, form, state) {
  let peak = 0, others = 0;
  const began = Date.now();
  const { id } = await kith.post('/imports', { file: `path:${file}`, mapping, data_set: dataSet, form });
  const made = Date.now();
  let job;
  do {
    await sleep(200);
    peak = Math.max(peak, memory(kith.pid));
    others = Math.max(others, childrenOf(kith.pid).reduce((sum, child) => sum + (existsSync(`/proc/${child}/status`) ? memory(child) : 0), 0));
    job = await kith.get(`/jobs/${id}`);
  } while (!['finished', 'failed'].includes(job.status));
  if (job.status === 'failed') throw new Error(job.reason);
  const read = Date.now();
  if (state) state.stop = true;
  await kith.settled({ timeoutMs: 600_000 });
  const applied = Date.now();
  await kith.flushed({ timeoutMs: 600_000 });
  threads(kith.pid);
  const seconds = (ms) => (ms / 1000).toFixed(1);
  console.log(
    `${file}: ${job.counts.rows} rows, ${job.counts.events} events; hash ${seconds(made - began)} s, read ${seconds(read - made)} s ` +
      `(${Math.round((job.counts.rows / (read - made)) * 1000)} rows/s), applied +${seconds(applied - read)} s, flushed +${seconds(Date.now() - applied)} s, ` +
      `peak ${Math.round(peak)} MB, of its children ${Math.round(others)} MB`,
  );
}

async function writers(kith, key, state) {
  const waits = [];
  let n = 0;
  while (!state.stop) {
    const began = performance.now();
    await kith.batch(key, [{ type: 'track', userId: `live${n % 50}`, event: 'Tick', messageId: `b${n++}-${Math.random()}`, properties: {} }]);
    waits.push(performance.now() - began);
    await sleep(10);
  }
  return waits;
}

// ---- the goal: 60 million events and 8 million members ----

const memberCount = Math.max(1000, Math.floor(rows / 7.5));
const goalEvents = {
  kind: 'events', zone: '+00:00', currency: 'CNY', columns: {}, key: '[id]', channel: 'app',
  identifiers: [{ type: 'member_card', value: '[user]' }, { type: 'device', value: '[device]' }],
  properties: { product_id: '[product_id]', category: '[category]', page: '[page]', order_id: '[order_id?]', revenue: { expression: '[revenue?]', type: 'money' } },
  events: [{ event: '[event]', time: '[time]' }],
};
const goalMembers = {
  kind: 'customers', zone: '+00:00', columns: {}, key: '[card]',
  identifiers: [{ type: 'member_card', value: '[card]' }, { type: 'mobile', value: '[phone]' }],
  traits: { name: '[name]', phone: '[phone]', level: '[level]', points: { expression: '[points]', type: 'number' }, city: '[city]', joined_at: { expression: '[joined]', type: 'time' } },
};

async function pause(kith) {
  const seconds = Number(process.env.KITH_BENCH_PAUSE ?? 0);
  if (seconds > 0) console.log(`server ${kith.pid}, its warehouse ${childrenOf(kith.pid)}; going on in ${seconds} s`);
  await sleep(seconds * 1000);
  return seconds * 1000;
}

/** Columns of the files as a data team's tables have them. */
const memberColumns = 'card String, phone String, name String, level String, points Int64, city String, joined DateTime64(3, \'UTC\')';
const eventColumns =
  "id String, user String, device String, event String, time DateTime64(3, 'UTC'), product_id String, category String, page String, " +
  'order_id Nullable(String), revenue Nullable(Decimal(18, 2))';

/** The same rows as Parquet, written by the library that the warehouse runs on. */
async function toParquet(kith, name, columns) {
  const from = join(folder, `${name}.jsonl`), to = join(folder, `${name}.parquet`);
  if (existsSync(to)) return;
  await askWarehouse(
    kith,
    `INSERT INTO FUNCTION file('${to}.part', 'Parquet') SELECT * FROM file('${from}', 'JSONEachRow', '${columns.replaceAll("'", "\\'")}') ` +
      `SETTINGS date_time_input_format = 'best_effort', max_threads = 1, max_insert_threads = 1, output_format_parquet_row_group_size = 250000`,
  );
  renameSync(`${to}.part`, to);
}

/** Members, then events; seconds in all. */
async function bringWorld(kith, form) {
  await pause(kith);
  let began = Date.now();
  await bring(kith, `members.${form}`, goalMembers, 'members');
  began += await pause(kith);
  await bring(kith, `events.${form}`, goalEvents, 'events');
  const seconds = (Date.now() - began) / 1000;
  console.log(`${memberCount} members and ${rows} events (${form}): ${seconds.toFixed(1)} s in all; 60 million with 8 would take ${Math.round((seconds * 60e6) / rows)} s at this rate`);
  return seconds;
}

function writeWorld() {
  execFileSync(join(dirname(kith.binary), 'bench/import_files'), [memberCount, rows, folder], { stdio: 'inherit' });
}

async function goal(kith) {
  writeWorld();
  await bringWorld(kith, 'jsonl');
}

async function parquet(kith) {
  writeWorld();
  await toParquet(kith, 'members', memberColumns);
  await toParquet(kith, 'events', eventColumns);
  return bringWorld(kith, 'parquet');
}

async function both(kith) {
  const columns = await parquet(kith);
  const other = await Kith.start({ arguments: ['--import-folder', folder] });
  try {
    const lines = await bringWorld(other, 'jsonl');
    console.log(`JSON lines take ${(lines / columns).toFixed(2)} times as long as Parquet`);
  } finally {
    await other.remove();
  }
}

async function gb18030(kith) {
  // GB18030 bytes as characters of Latin 1
  const title = '\xd5\xe6\xb0\xd7\xbe\xab\xbb\xaa', paid = '\xbd\xbb\xd2\xd7\xb3\xc9\xb9\xa6';
  const order = (i) => Math.floor(i / 3);
  const line = (i) => `o${order(i)},u${order(i) % users},${time(order(i))},${paid},s${i % 500},${title} ${i % 500} ml,1,${(i % 300) + 0.5}`;
  await write('lines.csv', 'order,user,time,state,sku,title,n,amount', line, rows, 'latin1');
  await pause(kith);
  await bring(kith, 'lines.csv', orders, 'lines', { encoding: 'gb18030' });
}

async function everything(kith) {
  const { write_key: key } = await kith.source('shop');
  await write('events.csv', 'id,user,time,page,n', (i) => `e${i},u${i % users},${time(i)},/p/${i % 997},${i % 7}`);
  await write('orders.csv', 'order,user,time,sku,title,n,amount', (i) => `o${Math.floor(i / 3)},u${Math.floor(i / 3) % users},${time(Math.floor(i / 3))},s${i % 500},item ${i % 500},1,${(i % 300) + 0.5}`);
  await bring(kith, 'events.csv', events, 'events');
  await bring(kith, 'orders.csv', orders, 'orders', { encoding: 'gb18030' });
  const state = { stop: false };
  const running = [writers(kith, key, state), writers(kith, key, state)];
  await bring(kith, 'events.csv', { ...events, channel: 'again' }, 'beside', undefined, state);
  const waits = (await Promise.all(running)).flat().sort((a, b) => a - b);
  const at = (share) => waits[Math.min(waits.length - 1, Math.floor(waits.length * share))].toFixed(1);
  console.log(`SDK beside it: ${waits.length} requests, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms`);
}

const kith = await Kith.start({ arguments: ['--import-folder', folder] });
try {
  await { goal, parquet, both, gb18030, all: everything }[what](kith);
} finally {
  await kith.remove();
  if (!kept) rmSync(folder, { recursive: true, force: true });
}
