// SPDX-License-Identifier: Apache-2.0
// history: a year of the demo brand house through POST /v1/import, in the order in which it happened.
import { spawn } from 'node:child_process';
import { existsSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { bringBodies } from './import.mjs';
import { build } from './server.mjs';

const EVENTS_PER_BODY = 100;

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
  let words = '';
  generator.stderr.on('data', (bytes) => (words += bytes));
  const generated = new Promise((done) => generator.once('exit', done));
  say(`bringing a year of ${world.customers.toLocaleString('en')} customers`);
  const start = Date.now();
  let lastTold = start;
  const told = (bodies) => {
    if (Date.now() - lastTold <= 5000) return;
    lastTold = Date.now();
    const events = bodies * EVENTS_PER_BODY;
    say(`${events.toLocaleString('en')} events, ${Math.round((events / (lastTold - start)) * 1000).toLocaleString('en')}/s`);
  };
  try {
    await bringBodies(server, createInterface({ input: generator.stdout, crlfDelay: Infinity }), told);
  } finally {
    generator.kill();
    unlinkSync(keysPath);
  }
  const code = await generated;
  const events = Number(words.match(/(\d+) events/)?.[1]);
  if (code !== 0 || !events) throw new Error(`the world ended with ${code}: ${words}`);
  const system = await server.api('GET', '/system');
  const seconds = (Date.now() - start) / 1000;
  say(`${events.toLocaleString('en')} events in ${seconds.toFixed(1)} s became ` +
      `${system.counts.customers.toLocaleString('en')} customers with ` +
      `${system.counts.identifiers.toLocaleString('en')} identifiers`);
  return { events, seconds };
}
