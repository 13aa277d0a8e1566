// SPDX-License-Identifier: Apache-2.0
// world: the made-up house as its generator knows it: who the people are, what they did, what is sold.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from './server.mjs';

const platforms = ['tmall_open_uid', 'jd_open_id', 'douyin_doudian_open_id', 'pdd_open_id', 'vip_open_id'];

/** What the generator writes in this form, line by line as it comes. */
export async function* streamed(form, world, more = []) {
  const child = spawn(
    join(build, 'bench/world'),
    ['--form', form, '--customers', `${world.customers}`, '--seed', `${world.seed}`, ...more],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = new Promise((done) => child.once('close', done));
  try {
    yield* createInterface({ input: child.stdout, crlfDelay: Infinity });
    const code = await ended;
    if (code !== 0) throw new Error(`the world ended with ${code} at its ${form}`);
  } finally {
    child.kill();
  }
}

export async function lines(form, world, more) {
  const found = [];
  for await (const line of streamed(form, world, more)) found.push(line);
  return found;
}

export const catalogueOf = async (world) => JSON.parse((await lines('catalogue', world)).join('\n'));

// ---- what everybody did in the year ----

const of = (line, name) => line.match(new RegExp(`"${name}":"([^"]+)"`))?.[1];
const fenOf = (line) => Math.round(Number(line.match(/"total":([\d.]+)/)?.[1] ?? 0) * 100);

const readers = [
  ['"event":"Order Paid"', (one, line, at) => { one.orders++; one.fen += fenOf(line); one.lastOrder = at; }],
  ['"event":"Order Refunded"', (one, line) => { one.fen -= fenOf(line); }],
  ['"event":"Contact Added"', (one, line, at) => { one.adviser = of(line, 'adviser'); one.added = at; }],
  ['"event":"Skin Test Taken"', (one, line, at) => { one.tested = at; }],
  ['"event":"Content Shared"', (one) => { one.shared++; }],
  ['"event":"Store Visited"', (one, line, at) => { one.store = of(line, 'store_id'); one.visited = at; }],
  ['"member_since":', (one, line, at) => { one.since ??= at; }],
];

/** Each person with her identifiers and what the year came to: orders, net fen, adviser, store, when she became a member. */
export async function peopleOf(world) {
  const people = (await lines('people', world)).map((line) => ({ ...JSON.parse(line), orders: 0, fen: 0, shared: 0 }));
  const year = ['--order', 'customer', '--batch', '1', '--events-per-customer', `${world.events_per_customer}`, '--end', world.end];
  for await (const line of streamed('segment', world, year)) {
    const reader = readers.find(([needle]) => line.includes(needle));
    if (!reader) continue;
    reader[1](people[Number(of(line, 'messageId').split('-')[1])], line, of(line, 'timestamp'));
  }
  for (const one of people) one.of = (type) => one.identifiers.find((id) => id.type === type && !id.shared);
  return people;
}

/** By what the house knows her best. */
export const nameOf = (one) => ['user_id', 'member_card', 'wx_unionid', ...platforms].map((type) => one.of(type)).find(Boolean);
