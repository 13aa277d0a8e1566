// SPDX-License-Identifier: Apache-2.0
// import: how fast files come in. Order lines in GB18030 CSV (several lines make one event) and events in UTF-8 CSV, from
// a path, with two SDK writers beside it whose latency is told.
//
//     node bench/import.mjs [ROWS]     default 1,000,000; KITH_BINARY as in the tests
import { createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kith, sleep } from '../tests/support/kith.mjs';

const rows = Number(process.argv[2] ?? 1_000_000);
const folder = mkdtempSync(join(tmpdir(), 'kith-bench-'));

async function write(name, header, line) {
  const out = createWriteStream(join(folder, name));
  let text = header + '\n';
  for (let i = 0; i < rows; i++) {
    text += line(i) + '\n';
    if (text.length > 1 << 20) {
      if (!out.write(text)) await once(out, 'drain');
      text = '';
    }
  }
  out.end(text);
  await once(out, 'finish');
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

const memory = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

/** Processor time of each thread so far, the busy ones. */
function threads(pid) {
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
  let peak = 0;
  const began = Date.now();
  const { id } = await kith.post('/imports', { file: `path:${file}`, mapping, data_set: dataSet, form });
  const made = Date.now();
  let job;
  do {
    await sleep(200);
    peak = Math.max(peak, memory(kith.pid));
    job = await kith.get(`/jobs/${id}`);
  } while (!['finished', 'failed'].includes(job.status));
  if (job.status === 'failed') throw new Error(job.reason);
  const read = Date.now();
  if (state) state.stop = true;
  threads(kith.pid);
  await kith.settled({ timeoutMs: 600_000 });
  const applied = Date.now();
  await kith.flushed({ timeoutMs: 600_000 });
  const seconds = (ms) => (ms / 1000).toFixed(1);
  console.log(
    `${file}: ${job.counts.rows} rows, ${job.counts.events} events; hash ${seconds(made - began)} s, read ${seconds(read - made)} s ` +
      `(${Math.round((job.counts.rows / (read - made)) * 1000)} rows/s), applied +${seconds(applied - read)} s, flushed +${seconds(Date.now() - applied)} s, ` +
      `peak ${Math.round(peak)} MB`,
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

const kith = await Kith.start({ arguments: ['--import-folder', folder] });
try {
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
} finally {
  await kith.remove();
  rmSync(folder, { recursive: true, force: true });
}
