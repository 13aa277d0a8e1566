// SPDX-License-Identifier: Apache-2.0
// history: a year of the demo brand house through POST /v1/import, in the order in which it happened.
import { spawn } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from './server.mjs';

const CONNECTIONS = 12;
const EVENTS_PER_BODY = 100;

/** One body through the door, again until it is acknowledged; 429 and 503 say how long to wait. */
async function post(agent, server, body) {
  for (let attempt = 1; ; attempt++) {
    const { status, text, retryAfter } = await new Promise((done, failed) => {
      const request = http.request(
        `${server.url}/v1/import`,
        { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
        (answer) => {
          let text_ = '';
          answer.setEncoding('utf8');
          answer.on('data', (part) => (text_ += part));
          answer.on('end', () =>
            done({ status: answer.statusCode, text: text_, retryAfter: Number(answer.headers['retry-after']) || 0 }));
        },
      );
      request.on('error', (error) => (attempt < 20 ? done({ status: 503, text: error.message, retryAfter: 0 }) : failed(error)));
      request.end(body);
    });
    if (status === 200) return;
    if (status !== 429 && status !== 503) throw new Error(`POST /v1/import: ${status} ${text}`);
    await new Promise((done) => setTimeout(done, Math.max(100, Math.min(retryAfter * 1000, 2000))));
  }
}

export async function bringHistory(server, keys, world, say) {
  const program = join(build, 'bench/world');
  if (!existsSync(program)) throw new Error(`no world at ${program}: build it with \`make build\``);
  const keysPath = join(server.folder, '..', 'world.keys');
  writeFileSync(keysPath, Object.entries(keys).map(([key, { write_key }]) => `${key} ${write_key}\n`).join(''), {
    mode: 0o600,
  });
  const generator = spawn(
    program,
    ['--form', 'segment', '--order', 'time', '--batch', `${EVENTS_PER_BODY}`, '--keys', keysPath,
     '--customers', `${world.customers}`, '--events-per-customer', `${world.events_per_customer}`,
     '--seed', `${world.seed}`, '--end', world.end],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let told = '';
  generator.stderr.on('data', (bytes) => (told += bytes));
  const generated = new Promise((done) => generator.once('exit', done));
  say(`bringing a year of ${world.customers.toLocaleString('en')} customers`);
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const start = Date.now();
  let bodies = 0;
  let lastTold = start;
  const under = new Set();
  let failure;
  try {
    for await (const line of createInterface({ input: generator.stdout, crlfDelay: Infinity })) {
      const sent = post(agent, server, line)
        .then(() => bodies++, (error) => (failure ??= error))
        .finally(() => under.delete(sent));
      under.add(sent);
      if (under.size >= CONNECTIONS) await Promise.race(under);
      if (failure) throw failure;
      if (Date.now() - lastTold > 5000) {
        lastTold = Date.now();
        const events = bodies * EVENTS_PER_BODY;
        say(`${events.toLocaleString('en')} events, ${Math.round((events / (lastTold - start)) * 1000).toLocaleString('en')}/s`);
      }
    }
    await Promise.all(under);
    if (failure) throw failure;
  } finally {
    generator.kill();
    agent.destroy();
    unlinkSync(keysPath);
  }
  const code = await generated;
  const events = Number(told.match(/(\d+) events/)?.[1]);
  if (code !== 0 || !events) throw new Error(`the world ended with ${code}: ${told}`);
  const system = await server.api('GET', '/system');
  const seconds = (Date.now() - start) / 1000;
  say(`${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s became ` +
      `${system.counts.customers.toLocaleString('en')} customers with ` +
      `${system.counts.identifiers.toLocaleString('en')} identifiers`);
  return { events, seconds };
}
