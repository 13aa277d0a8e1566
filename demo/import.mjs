// SPDX-License-Identifier: Apache-2.0
// import: what comes in bulk: bodies of events through POST /v1/import, files through uploads and import jobs.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const CONNECTIONS = 12;
const JOB_MS = 120_000;
const SETTLED_MS = 60_000;

function request(agent, url, body) {
  return new Promise((done, failed) => {
    const asked = http.request(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part) => (text += part));
      answer.on('end', () => done({ status: answer.statusCode, text, retryAfter: Number(answer.headers['retry-after']) || 0 }));
    });
    asked.on('error', failed);
    asked.end(body);
  });
}

/** One body through the door, again until it is acknowledged; 429 and 503 say how long to wait. */
async function post(agent, server, body) {
  for (let attempt = 1; ; attempt++) {
    const { status, text, retryAfter } = await request(agent, `${server.url}/v1/import`, body).catch((error) => {
      if (attempt >= 20) throw error;
      return { status: 503, text: error.message, retryAfter: 0 };
    });
    if (status === 200) return;
    if (status !== 429 && status !== 503) throw new Error(`POST /v1/import: ${status} ${text}`);
    await sleep(Math.max(100, Math.min(retryAfter * 1000, 2000)));
  }
}

/** All bodies that `bodies` gives, several at a time; `told` hears after each how many are in. */
export async function bringBodies(server, bodies, told = () => undefined) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const under = new Set();
  let count = 0;
  let failure;
  try {
    for await (const body of bodies) {
      const sent = post(agent, server, body)
        .then(() => told(++count), (error) => (failure ??= error))
        .finally(() => under.delete(sent));
      under.add(sent);
      if (under.size >= CONNECTIONS) await Promise.race(under);
      if (failure) throw failure;
    }
    await Promise.all(under);
    if (failure) throw failure;
  } finally {
    agent.destroy();
  }
}

/** Until all that was acknowledged is applied. */
export async function settled(server) {
  const end = Date.now() + SETTLED_MS;
  for (;;) {
    const { engine, log } = await server.api('GET', '/system');
    if (engine.applied_seq >= log.last_seq) return;
    if (Date.now() > end) throw new Error(`the server is behind its log by ${log.last_seq - engine.applied_seq} records`);
    await sleep(100);
  }
}

const cell = (value) => (/[",\n]/.test(`${value ?? ''}`) ? `"${`${value}`.replaceAll('"', '""')}"` : `${value ?? ''}`);
export const csv = (head, rows) => [head, ...rows].map((row) => row.map(cell).join(',')).join('\n') + '\n';

/** A file as a person uploads it, and its job until the end; the same file again is the job that there was. */
export async function bringFile(server, { name, text, mapping, source, dataSet }) {
  const bytes = Buffer.from(text);
  const { id } = await server.api('POST', '/uploads', { name, size_bytes: bytes.length });
  await server.put(`/uploads/${id}?offset=0`, bytes);
  const made = await server.api('POST', '/imports', { file: `upload:${id}`, mapping, name, data_set: dataSet, ...(source ? { source } : {}) });
  const end = Date.now() + JOB_MS;
  for (;;) {
    const job = await server.api('GET', `/jobs/${made.id}`);
    if (job.status === 'finished') return job;
    if (job.status === 'failed') throw new Error(`the import of ${name} failed: ${job.reason}`);
    if (Date.now() > end) throw new Error(`the import of ${name} is ${job.status} after ${JOB_MS / 1000} s`);
    await sleep(100);
  }
}
