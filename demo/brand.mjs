// SPDX-License-Identifier: Apache-2.0
// brand: the house as its people have set it up: objects, what is known of members, tags, segments, teams with their users, views,
// and a few things that wait for somebody. The definitions are the files of brand/, put by the API like anybody's.
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { settled } from './import.mjs';
import { rehearse } from './journeys.mjs';
import { bringMemberList, bringWhatIsKnown, giveValues } from './members.mjs';
import { bringObjects } from './objects.mjs';
import { peopleOf } from './world.mjs';

const text = (name) => readFileSync(new URL(`brand/${name}.json`, import.meta.url), 'utf8');
const names = ['objects', 'tags', 'segments', 'teams'];

/** Numbers by the size of the house are meant for so many events per person and year. */
const USUAL_EVENTS = 20;

/** The year of the last promotion that began on this day. */
function lastYear(monthDay, now) {
  const year = Number(now.slice(0, 4));
  return now.slice(5, 10) > monthDay ? year : year - 1;
}

/** What stands behind a `$` in the files: days of promotions, a number by the size of the house. */
function filled(value, world) {
  if (Array.isArray(value)) return value.map((one) => filled(one, world));
  if (value !== null && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, filled(one, world)]));
  if (typeof value !== 'string' || !value.startsWith('$') || value === '$me') return value;
  const [what, which] = value.slice(1).split(':');
  if (what === 'per_customer') return Math.max(2, Math.round((world.customers * Number(which) * world.events_per_customer) / USUAL_EVENTS));
  const [sale, ...day] = value.slice(1).split('-');
  return [lastYear(sale === '618' ? '06-21' : '11-13', world.end), ...day].join('-');
}

const read = (name, world) => filled(JSON.parse(text(name)), world);

async function define(server, kind, definitions) {
  const there = new Set((await server.api('GET', `/${kind}`)).items.map((one) => one.key));
  for (const { key, ...definition } of definitions) {
    if (definition.kind === 'snapshot' && there.has(key)) continue;   // it is of when it was made
    await server.api('PUT', `/${kind}/${key}`, definition);
  }
}

// ---- teams ----

/** Passwords are drawn once for each folder: nobody has one that stands in a file of the house. */
function withPasswords(users, notes) {
  const known = new Map((notes.value.users ?? []).map((user) => [user.login, user.password]));
  return users.map((user) => ({ ...user, password: known.get(user.login) ?? randomBytes(9).toString('base64url') }));
}

async function bringTeams(server, notes, { teams, users, shares, own, views }) {
  for (const { key, ...team } of teams) await server.api('PUT', `/teams/${key}`, team);
  const signIns = withPasswords(users, notes);
  notes.save({ users: signIns.map(({ login, password, name, team, roles }) => ({ login, password, name, roles, team: teams.find((one) => one.key === team)?.name })) });
  for (const { login, ...user } of signIns) await server.api('PUT', `/users/${login}`, { locale: 'zh-CN', ...user });
  for (const { keys, ...share } of shares) for (const key of keys) await server.api('PUT', '/shares', { ...share, key });
  await define(server, 'segments', own.segments);
  for (const [login, list] of Object.entries(views)) {
    const api = await server.as(login, signIns.find((user) => user.login === login).password);
    for (const { key, page, name, shared, columns, rule } of list)
      await api('PUT', `/views/${key}`, { page, name, shared, query: `${new URLSearchParams({ rule: JSON.stringify(rule), columns })}` });
  }
}

// ---- what waits for somebody ----

/** Two events as a till sends them on a bad day: they wait in quarantine until somebody corrects them. */
async function sendOddities(server, keys) {
  const odd = (messageId, properties, more) => ({
    type: 'track', messageId, event: 'Order Paid', userId: 'demo-rehearsal', timestamp: new Date().toISOString(), properties: { currency: 'CNY', store_id: 'S0001', ...properties }, ...more,
  });
  const batch = [
    odd('brand-odd-1', { order_id: 'T-0001', revenue: '一百二十九元' }),
    odd('brand-odd-2', { order_id: 'T-0002', revenue: 129 }, { timestamp: new Date(Date.now() + 40 * 86_400_000).toISOString() }),
  ];
  await server.collect(keys.store.write_key, batch);
}

/** She asks what is known of her; another wants no marketing any more. */
async function openRequests(server) {
  const { items } = await server.api('GET', '/privacy/requests');
  if (items.length > 0) return;
  const { items: members } = await server.api('GET', '/segments/vip/members?limit=2');
  const kinds = [['access', '客户来电，要一份自己的资料'], ['withdrawal', '小程序里点了不再接收营销']];
  for (const [i, member] of members.entries())
    await server.api('POST', '/privacy/requests', { customer: member.one_id ?? member, kind: kinds[i][0], note: kinds[i][1], handler: 'kefu' });
}

/** All of it, once for each state of the files. */
export async function makeBrand(server, notes, say) {
  const state = createHash('sha256').update(names.map(text).join()).digest('hex').slice(0, 16);
  if (notes.value.brand === state) return;
  const { keys, history: world } = notes.value;
  say('setting up its products, stores, tags, segments and teams');
  await rehearse(server, keys);
  const people = await peopleOf(world);
  await bringObjects(server, world);
  await bringWhatIsKnown(server, keys, people, world.end);
  const job = await bringMemberList(server, people);
  await settled(server);
  const [tags, segments, teams] = ['tags', 'segments', 'teams'].map((name) => read(name, world));
  await define(server, 'tags', tags);
  await define(server, 'segments', segments);
  await giveValues(server, people, world.end);
  await bringTeams(server, notes, teams);
  await sendOddities(server, keys);
  await openRequests(server);
  notes.save({ brand: state });
  say(`${tags.length} tags, ${segments.length} segments, ${teams.teams.length} teams; ${job.counts.rows} members by a file, ${job.counts.refused} rows of it refused`);
}

/** Who may sign in, a line each. */
export const signIns = (notes) => (notes.value.users ?? []).map(({ login, password, name, roles, team }) =>
  `${login.padEnd(10)} ${password}  ${name}, ${roles.join(' + ')}${team ? `, ${team}` : ''}`);
