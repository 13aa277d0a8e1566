// SPDX-License-Identifier: Apache-2.0
// S12: each team its own. Three teams by channel, a head above them, an adviser, a dealer; what each of them gets by the API.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Kith, missingBinary, until } from '../support/kith.mjs';
import { ask, expect, identify, refused, track } from './support.mjs';

let kith;
const sources = {};
const real = { skip: missingBinary };
const NOW = '2026-06-18T02:00:00Z';
const token = {};
const id = {};
const teams = {
  wecom: { name: '企微', parent: 'online', events: [{ prop: 'channel', eq: 'wecom' }], sources: ['wecom'] },
  tmall: { name: '天猫', parent: 'online', events: [{ prop: 'channel', in: ['tmall'] }], sources: ['tmall'] },
  douyin: { name: '抖音', parent: 'online', events: [{ prop: '$source', eq: 'douyin' }], sources: ['douyin'] },
  advisers: { name: '导购', customers: { relation: 'adviser', eq: '$me' } },
  dealer: { name: '经销商', customers: { event: '*', where: [{ prop: 'dealer_id', eq: 'd7' }] }, events: [{ prop: 'dealer_id', eq: 'd7' }] },
};

/** A user of a team (or of none) with a token. */
async function person(login, team, roles) {
  const password = `correct horse ${login} 9`;
  await expect(kith, 200, 'PUT', `/users/${login}`, { body: { password, name: login, roles, team } });
  const session = await ask(kith, 'POST', '/session', { token: null, body: { login, password } });
  const cookie = session.headers['set-cookie'][0].split(';')[0];
  const made = await expect(kith, 201, 'POST', '/tokens', {
    token: null, body: { name: `${login} token` }, headers: { cookie, 'x-kith-request': '1' },
  });
  token[login] = made.token;
}

const as = (login, status, method, path, body) => expect(kith, status, method, path, { token: token[login], body });
const customer = (login, name, status = 200) => as(login, status, 'GET', `/customers/${id[name]}`);

before(async () => {
  if (missingBinary) return;
  kith = await Kith.start({ arguments: ['--virtual-clock'], environment: { KITH_NOW: NOW } });
  for (const key of ['wecom', 'tmall', 'douyin'])
    sources[key] = await expect(kith, 201, 'POST', '/sources', { body: { key, name: key, kind: 'server', channel: key } });
  const time = { timestamp: NOW };
  const order = (user, order_id, revenue, channel, more = {}) =>
    track(user, 'Order Paid', { order_id, revenue, currency: 'CNY', channel, ...more }, time);
  await kith.batch(sources.wecom.write_key, [
    identify('ann', { city: '上海', phone: '13800000001', adviser_id: 'lily' }, time), order('ann', 'w1', '10.00', 'wecom'),
    identify('both', { city: '北京', adviser_id: 'mei' }, time), order('both', 'w2', '20.00', 'wecom', { dealer_id: 'd7' }),
  ]);
  await kith.batch(sources.tmall.write_key, [
    identify('tom', { city: '上海', phone: '13800000002' }, time), order('tom', 't1', '30.00', 'tmall'),
    track('tom', 'Order Refunded', { order_id: 't1', total: '10.00', currency: 'CNY', channel: 'tmall' }, time),
    identify('both', { vip_level: 'gold' }, time), order('both', 't2', '40.00', 'tmall'),
  ]);
  await kith.batch(sources.douyin.write_key, [identify('dou', { city: '广州' }, time), order('dou', 'd1', '50.00', 'douyin')]);
  await expect(kith, 200, 'PUT', '/teams/online', { body: { name: '线上' } });
  for (const [key, body] of Object.entries(teams)) await expect(kith, 200, 'PUT', `/teams/${key}`, { body });
  for (const name of ['ann', 'both', 'tom', 'dou'])
    id[name] = (await expect(kith, 200, 'GET', `/customers/by/user_id/${name}`)).one_id;
  for (const [login, team, ...roles] of [
    ['wendy', 'wecom', 'operator'], ['tim', 'tmall', 'operator'], ['dora', 'douyin', 'operator', 'analyst'],
    ['head', 'online', 'operator'], ['lily', 'advisers', 'operator'], ['mei', 'advisers', 'operator'],
    ['deng', 'dealer', 'operator'], ['boss', null, 'operator'],
  ]) await person(login, team, roles);
});
after(async () => kith?.remove());

test('S12: each sees her own customers, by number, by identifier and in the list', real, async () => {
  const sees = {
    wendy: ['ann', 'both'], tim: ['tom', 'both'], dora: ['dou'], head: ['ann', 'both', 'tom', 'dou'],
    lily: ['ann'], mei: ['both'], deng: ['both'], boss: ['ann', 'both', 'tom', 'dou'],
  };
  for (const [login, names] of Object.entries(sees)) {
    for (const name of Object.keys(id)) {
      const status = names.includes(name) ? 200 : 404;
      await customer(login, name, status);
      await as(login, status, 'GET', `/customers/by/user_id/${name}`);
      for (const part of ['events', 'graph', 'merges', 'explain'])
        await as(login, status, 'GET', `/customers/${id[name]}/${part}`);
    }
    const list = await as(login, 200, 'GET', '/customers?limit=100');
    assert.deepEqual(list.items.map((one) => one.one_id).sort(), names.map((name) => id[name]).sort(), login);
  }
});

test('X4: a foreign customer is answered as one that does not exist, and both are in the audit', real, async () => {
  const foreign = await customer('wendy', 'tom', 404);
  const nobody = await as('wendy', 404, 'GET', '/customers/c_0000000000000');
  const words = (problem, one_id) => JSON.stringify({ ...problem, instance: '' }).replaceAll(one_id, 'X');
  assert.equal(words(foreign, id.tom), words(nobody, 'c_0000000000000'));
  const byPhone = await as('wendy', 404, 'GET', '/customers/by/mobile/13800000002');
  const noPhone = await as('wendy', 404, 'GET', '/customers/by/mobile/13800000009');
  assert.equal(words(byPhone, '13800000002'), words(noPhone, '13800000009'));
  const audit = await expect(kith, 200, 'GET', '/audit?action=team.refuse&limit=100');
  const objects = audit.items.map((line) => line.object);
  assert.ok(objects.includes(id.tom) && objects.includes('c_0000000000000'), JSON.stringify(objects));
});

test('events and facts of other teams are not there for a customer of two teams', real, async () => {
  const types = async (login) => (await as(login, 200, 'GET', `/customers/${id.both}/events`)).items
    .filter((event) => event.type === 'Order Paid').map((event) => event.props.order_id).sort();
  assert.deepEqual(await types('wendy'), ['w2']);
  assert.deepEqual(await types('tim'), ['t2']);
  assert.deepEqual(await types('deng'), ['w2']);
  assert.deepEqual(await types('head'), ['t2', 'w2']);
  assert.deepEqual(await types('mei'), ['t2', 'w2']);
  const wendy = await customer('wendy', 'both'), tim = await customer('tim', 'both');
  assert.equal(wendy.traits.city, '北京');
  assert.equal(wendy.traits.vip_level, undefined);
  assert.equal(tim.traits.vip_level, 'gold');
  assert.equal(tim.traits.city, undefined);
  assert.equal(wendy.summary.withheld, true);
  assert.equal((await customer('mei', 'both')).summary.orders, 2);
});

test('previews count seen events of who is seen', real, async () => {
  const preview = async (login, rule) => {
    const answer = await as(login, 200, 'POST', '/segments/preview', { rule });
    return [answer.count, answer.base, answer.conditions.map((one) => one.count).join()];
  };
  const paid = { event: 'Order Paid' };
  assert.deepEqual(await preview('wendy', paid), [2, 2, '2']);
  assert.deepEqual(await preview('dora', paid), [1, 1, '1']);
  assert.deepEqual(await preview('head', paid), [4, 4, '4']);
  const rich = { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 3000 };
  assert.deepEqual(await preview('wendy', rich), [0, 2, '0']);
  assert.deepEqual(await preview('tim', rich), [2, 2, '2']);
  const twice = { event: 'Order Paid', measure: 'count', gte: 2 };
  assert.deepEqual(await preview('tim', twice), [0, 2, '0']);
  assert.deepEqual(await preview('mei', twice), [1, 1, '1']);
  assert.deepEqual(await preview('boss', twice), [1, 4, '1']);
  const any = { any: [{ trait: 'city', eq: '上海' }, paid] };
  assert.deepEqual(await preview('lily', any), [1, 1, '1,1']);
});

test('S12: customers by a rule are those who are seen, by events that are seen', real, async () => {
  const found = async (login, rule, query = 'limit=100') => as(login, 200, 'POST', `/customers/find?${query}`, { rule });
  const ids = (answer) => answer.items.map((one) => one.one_id);
  const named = (...names) => names.map((name) => id[name]).sort();
  const paid = { event: 'Order Paid' };
  assert.deepEqual(ids(await found('wendy', paid)).sort(), named('ann', 'both'));
  assert.deepEqual(ids(await found('tim', { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 3000 })).sort(), named('both', 'tom'));
  assert.deepEqual(ids(await found('wendy', { event: 'Order Paid', measure: 'sum', of: 'revenue', gte: 3000 })), []);
  const first = await found('boss', paid, 'limit=3&columns=traits,tags');
  assert.deepEqual([first.items.length, first.count, first.base, first.partial], [3, 4, 4, false]);
  const second = await found('boss', paid, `limit=3&cursor=${first.next_cursor}`);
  assert.deepEqual([second.items.length, second.next_cursor], [1, null]);
  assert.deepEqual([...ids(first), ...ids(second)].sort(), named('ann', 'both', 'dou', 'tom'));
  const both = first.items.concat(second.items).find((one) => one.one_id === id.both);
  assert.equal(both.traits?.city ?? '北京', '北京');
  assert.equal('traits' in second.items[0], false);
  const hers = (await found('tim', paid, 'columns=traits')).items.find((one) => one.one_id === id.both);
  assert.deepEqual([hers.traits.city, hers.traits.vip_level], [undefined, 'gold']);
  const listed = (await as('boss', 200, 'GET', '/customers?query=ann&columns=traits')).items[0];
  assert.equal(listed.traits.city, '上海');
  const body = { rule: paid };
  await refused(kith, 400, 'invalid', 'POST', '/customers/find?columns=money', { token: token.boss, body });
  await refused(kith, 400, 'invalid', 'POST', `/customers/find?cursor=${first.next_cursor}x`, { token: token.boss, body });
  await refused(kith, 422, 'unprocessable', 'POST', '/customers/find', { token: token.boss, body: { rule: { nonsense: 1 } } });
  await refused(kith, 422, 'unprocessable', 'POST', '/customers/find', { token: token.boss, body: { rule: paid, on: 'product' } });
});

test('saved views: of one person, shown to those who see her when she shares them', real, async () => {
  const view = { page: 'customers', name: '上海买家', query: 'rule=%7B%7D' };
  const views = async (login, query = '') => (await as(login, 200, 'GET', `/views${query}`)).items.map((one) => [one.name, one.owner, one.own]);
  const made = await as('wendy', 200, 'PUT', '/views/v1', view);
  assert.deepEqual(made, { key: 'v1', ...view, shared: false, owner: 'wendy', own: true });
  assert.deepEqual([await views('boss'), await views('head'), await views('tim')], [[], [], []]);
  await as('wendy', 200, 'PUT', '/views/v1', { ...view, shared: true });
  assert.deepEqual(await views('wendy', '?page=customers'), [['上海买家', 'wendy', true]]);
  assert.deepEqual(await views('wendy', '?page=tags'), []);
  assert.deepEqual(await views('head'), [['上海买家', 'wendy', false]]);
  assert.deepEqual(await views('boss'), [['上海买家', 'wendy', false]]);
  assert.deepEqual(await views('tim'), []);
  await refused(kith, 404, 'not_found', 'DELETE', '/views/v1', { token: token.boss });
  assert.equal((await as('boss', 200, 'PUT', '/views/v1', view)).owner, 'boss');
  assert.equal((await views('boss')).length, 2);
  for (const [key, body] of [['V1', view], ['v2', { ...view, name: ' ' }], ['v2', { ...view, page: '' }], ['v2', { ...view, query: 'x'.repeat(8193) }]])
    await refused(kith, 422, 'unprocessable', 'PUT', `/views/${key}`, { token: token.boss, body });
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/view.1.v1', { body: { value: 1 } });
  assert.ok((await expect(kith, 200, 'GET', '/settings')).items.every((one) => !one.key.startsWith('view.')));
  await as('wendy', 204, 'DELETE', '/views/v1');
  assert.deepEqual(await views('wendy'), []);
  await as('boss', 204, 'DELETE', '/views/v1');
});

test('S12: orders and net revenue of the day, of what is seen', real, async () => {
  const today = (login) => as(login, 200, 'GET', '/today');
  // t1 is refunded in part
  const sums = async (login) => (await today(login)).revenue.map((one) => [one.currency, one.orders, one.net, one.refunded]);
  assert.deepEqual(await sums('head'), [['CNY', 5, 14000, 1000]]);
  assert.deepEqual(await sums('wendy'), [['CNY', 2, 3000, 0]]);
  assert.deepEqual(await sums('tim'), [['CNY', 2, 6000, 1000]]);
  assert.deepEqual(await sums('dora'), [['CNY', 1, 5000, 0]]);
  // of everybody by memory, of her teams by the warehouse
  await until('the sum of all', async () => (await today('boss')).orders === 5);
  assert.deepEqual(await sums('boss'), await sums('head'));
});

test('orders of the day are true to the second for a team, too', real, async () => {
  const now = async () => as('dora', 200, 'GET', '/today');
  const { orders } = await now();
  for (let n = 1; n <= 3; n++) { // asked at once: what the warehouse does not have yet is brought in first
    await kith.batch(sources.douyin.write_key, [track('dou', 'Order Paid', { order_id: `now-${n}`, revenue: '1.00', currency: 'CNY', channel: 'douyin' }, { timestamp: NOW })]);
    const today = await now();
    assert.deepEqual([today.orders, today.partial], [orders + n, false]);
  }
  await kith.batch(sources.douyin.write_key, [1, 2, 3].map((n) => track('dou', 'Order Cancelled', { order_id: `now-${n}`, channel: 'douyin' }, { timestamp: NOW })));
  assert.equal((await now()).orders, orders);
});

test('segments and tags belong to a team, are shared, and hold of its customers alone', real, async () => {
  await refused(kith, 404, 'not_found', 'PUT', '/segments/buyers', { token: token.wendy, body: { rule: { event: 'Order Paid' } } });
  const made = await as('wendy', 200, 'PUT', '/segments/wecom__buyers', { name: '企微买家', rule: { event: 'Order Paid' } });
  assert.equal(made.count, 2);
  assert.equal((await as('boss', 200, 'GET', '/segments/wecom__buyers')).count, 2);
  const everybody = await expect(kith, 200, 'PUT', '/segments/all-buyers', { body: { rule: { event: 'Order Paid' } } });
  assert.equal(everybody.count, 4);
  for (const login of ['tim', 'wendy', 'lily'])
    for (const [method, path] of [['GET', ''], ['GET', '/members'], ['GET', '/history'], ['GET', '/profile'], ['GET', '/reach'], ['DELETE', '']])
      await as(login, 404, method, `/segments/all-buyers${path}`);
  assert.deepEqual((await as('tim', 200, 'GET', '/segments')).items, []);
  assert.equal((await customer('tim', 'both')).segments.length, 0);
  assert.deepEqual((await customer('wendy', 'both')).segments, ['wecom__buyers']);
  const hidden = await as('tim', 422, 'POST', '/segments/preview', { rule: { segment: 'all-buyers' } });
  const none = await as('tim', 422, 'POST', '/segments/preview', { rule: { segment: 'zll-buyers' } });
  assert.equal(hidden.detail.replace('all-', 'zll-'), none.detail);
  assert.equal(hidden.hint, none.hint);
  await as('tim', 422, 'PUT', '/segments/tmall__copy', { rule: { segment: 'all-buyers' } });
  await expect(kith, 204, 'PUT', '/shares', { body: { kind: 'segment', key: 'all-buyers', team: 'tmall', level: 'read' } });
  const shared = await as('tim', 200, 'GET', '/segments/all-buyers');
  assert.equal(shared.count, 2);
  assert.deepEqual((await as('tim', 200, 'GET', '/segments/all-buyers/members')).items.sort(), [id.tom, id.both].sort());
  const points = (await as('tim', 200, 'GET', '/segments/all-buyers/history')).points;
  assert.equal(points.at(-1).count, 2);
  assert.ok(points.every((point) => point.entered <= 2));
  await as('tim', 404, 'PUT', '/segments/all-buyers', { rule: { event: 'Order Paid' } });
  await as('tim', 404, 'GET', `/segments/all-buyers/explain?customer=${id.tom}`);
  await as('wendy', 404, 'GET', '/segments/all-buyers');
  await expect(kith, 204, 'PUT', '/shares', { body: { kind: 'segment', key: 'all-buyers', team: 'tmall', level: 'none' } });
  await as('tim', 404, 'GET', '/segments/all-buyers');
  await as('tim', 404, 'PUT', '/shares', { kind: 'segment', key: 'wecom__buyers', team: 'tmall', level: 'change' });
  await as('wendy', 204, 'PUT', '/shares', { kind: 'segment', key: 'wecom__buyers', team: 'tmall', level: 'read' });
  assert.equal((await as('tim', 200, 'GET', '/segments/wecom__buyers')).count, 1);
});

test('the hidden segment of a view is nobody’s to read or change', real, async () => {
  for (const login of ['boss', 'wendy']) {
    await as(login, 404, 'GET', '/segments/team-view-wecom');
    await as(login, 404, 'PUT', '/segments/team-view-wecom', { rule: { event: 'Order Paid' } });
    await as(login, 404, 'DELETE', '/segments/team-view-wecom');
  }
});

test('a view moves with the event that moves it, and with its rule', real, async () => {
  const wecom = (await expect(kith, 200, 'GET', '/sources')).items.find((one) => one.key === 'wecom');
  const rotated = await expect(kith, 200, 'POST', '/sources/wecom/rotate');
  assert.ok(wecom);
  await kith.batch(rotated.write_key, [track('dou', 'Product Viewed', { channel: 'wecom' }, { timestamp: NOW })]);
  await customer('wendy', 'dou');
  await expect(kith, 200, 'PUT', '/teams/wecom', { body: { ...teams.wecom, customers: { trait: 'city', eq: '上海' } } });
  await customer('wendy', 'dou', 404);
  await customer('wendy', 'ann');
  await expect(kith, 200, 'PUT', '/teams/wecom', { body: teams.wecom });
  await customer('wendy', 'dou');
});

test('what cannot be cut is refused to who sees a part, and is not to a head of all', real, async () => {
  for (const path of ['/identity/link-rate', '/quarantine/summary', '/stop'])
    await refused(kith, 403, 'forbidden', 'GET', path, { token: token.wendy });
  for (const path of ['/identity/link-rate', '/stop']) await as('boss', 200, 'GET', path);
});

test('teams are a tree: no ring, no strange parent, no rule that cannot be made', real, async () => {
  const put = (key, body, status) => expect(kith, status, 'PUT', `/teams/${key}`, { body });
  await put('online', { parent: 'wecom' }, 422);
  await put('online', { parent: 'online' }, 422);
  await put('new', { parent: 'nothing' }, 422);
  await put('new', { customers: { trait: 'no such trait', eq: 1 } }, 422);
  await put('new', { events: [{ prop: 'channel', gte: 3 }] }, 422);
  await put('New', {}, 422);
  await refused(kith, 409, 'conflict', 'DELETE', '/teams/online');
  await refused(kith, 409, 'conflict', 'DELETE', '/teams/wecom');
  await put('new', { customers: { trait: 'city', eq: '上海' } }, 200);
  await expect(kith, 204, 'DELETE', '/teams/new');
  await expect(kith, 404, 'GET', '/teams/new');
  assert.deepEqual((await as('head', 200, 'GET', '/teams')).items.map((team) => team.key), ['douyin', 'online', 'tmall', 'wecom']);
  await as('wendy', 404, 'GET', '/teams/tmall');
});

// ---- journeys, sends, templates of a team ----

const paid = (user, order_id, channel, more = {}) =>
  track(user, 'Order Paid', { order_id, revenue: '10.00', currency: 'CNY', channel, ...more }, { timestamp: NOW });
const waiting = { name: 'j', start: 'w', nodes: { w: { type: 'wait', for: '3d' } } };

test("S12: a team's journey takes in its own customers by its own events, whoever saves it", real, async () => {
  const trigger = { type: 'event', event: 'Order Paid', key: 'order_id' };
  for (const [login, key] of [['wendy', 'wecom__hi'], ['lily', 'advisers__hi'], ['boss', 'tmall__boss'], ['head', 'douyin__head']]) {
    const made = await as(login, 200, 'PUT', `/journeys/${key}`, { trigger, ...waiting });
    const again = await as(login, 200, 'PUT', `/journeys/${key}`, made.journey);
    assert.deepEqual(again.journey, made.journey, 'what was cut is not cut again');
    await as(login, 200, 'POST', `/journeys/${key}/publish`, {});
    await until('it to be live', async () => (await as('boss', 200, 'GET', `/journeys/${key}`)).state === 'live');
  }
  const rotated = {};
  for (const key of ['wecom', 'tmall', 'douyin']) rotated[key] = (await expect(kith, 200, 'POST', `/sources/${key}/rotate`)).write_key;
  await kith.batch(rotated.tmall, [paid('tom', 'j1', 'tmall'), paid('both', 'j2', 'tmall')]);
  await kith.batch(rotated.wecom, [paid('ann', 'j3', 'wecom'), paid('both', 'j4', 'wecom')]);
  await kith.batch(rotated.douyin, [paid('dou', 'j5', 'douyin'), paid('ann', 'j6', 'douyin')]);
  await kith.settled();
  const orders = async (name, key) => (await expect(kith, 200, 'GET', `/customers/${id[name]}/journeys`)).items
    .filter((one) => one.journey === key).map((one) => one.key).sort();
  assert.deepEqual([await orders('ann', 'wecom__hi'), await orders('both', 'wecom__hi'), await orders('tom', 'wecom__hi')], [['j3'], ['j4'], []]);
  assert.deepEqual([await orders('ann', 'advisers__hi'), await orders('both', 'advisers__hi'), await orders('dou', 'advisers__hi')], [['j3', 'j6'], [], []]);
  assert.deepEqual([await orders('tom', 'tmall__boss'), await orders('both', 'tmall__boss'), await orders('ann', 'tmall__boss')], [['j1'], ['j2'], []]);
  assert.deepEqual([await orders('dou', 'douyin__head'), await orders('ann', 'douyin__head')], [['j5'], ['j6']]);

  // What a report counts is what the journey took in; who was refused at the door may be anybody.
  const report = await as('wendy', 200, 'GET', '/journeys/wecom__hi/report');
  assert.deepEqual([report.entered, report.inside, report.refused], [2, 2, 0]);
  assert.equal((await as('lily', 200, 'GET', '/journeys/advisers__hi/report')).entered, 2);
  await as('mei', 403, 'GET', '/journeys/advisers__hi/report'); // of the same team, but of other customers
  assert.equal((await as('mei', 200, 'GET', '/journeys/advisers__hi')).withheld, true);
  assert.equal((await as('head', 200, 'GET', '/journeys/wecom__hi/report')).entered, 2);
  for (const path of ['', '/report', '/whatif', `/explain?customer=${id.both}`]) await as('tim', 404, 'GET', `/journeys/wecom__hi${path}`);
  await as('wendy', 200, 'GET', `/journeys/wecom__hi/explain?customer=${id.both}`);
  await as('wendy', 404, 'GET', `/journeys/wecom__hi/explain?customer=${id.tom}`);
  const listed = (await as('tim', 200, 'GET', '/journeys')).items.map((one) => [one.key, one.entered]);
  assert.deepEqual(listed, [['tmall__boss', 2]]);

  // An adviser's customer goes to another: her journey lets go of her.
  await kith.batch(rotated.wecom, [identify('ann', { adviser_id: 'mei' }, { timestamp: NOW })]);
  await until('the adviser’s journey to end for her', async () => (await orders('ann', 'advisers__hi')).length === 0);
  await customer('lily', 'ann', 404);
  await customer('mei', 'ann');
  await kith.batch(rotated.wecom, [identify('ann', { adviser_id: 'lily' }, { timestamp: NOW })]);
  await kith.settled();
});

test("a team's journey names nothing that the team does not see", real, async () => {
  const trigger = { type: 'event', event: 'Order Paid' };
  const put = (journey, status = 422) => as('wendy', status, 'PUT', '/journeys/wecom__names', { trigger, ...waiting, ...journey });
  const nodes = (node) => ({ start: 'n', nodes: { n: node } });
  const missing = await put({ entry: { rule: { segment: 'no-such-list' } } });
  const hidden = await put({ entry: { rule: { segment: 'all-buyers' } } });
  assert.equal(hidden.detail.replace('all-buyers', 'no-such-list'), missing.detail);
  await put({ trigger: { type: 'segment', segment: 'all-buyers' } });
  await put(nodes({ type: 'segment', segment: 'all-buyers' }));
  await put(nodes({ type: 'tag', tag: 'tmall__mark', value: 'x' }));
  await put(nodes({ type: 'journey', journey: 'tmall__boss' }));
  await put(nodes({ type: 'send', channel: 'sms', template: 'house' }));
  await put(nodes({ type: 'branch', cases: [{ value: 'customer.vip_level', eq: 'gold' }] }));
  await put(nodes({ type: 'branch', cases: [{ value: 'summary.orders', gte: 2 }] }));
  await put(nodes({ type: 'branch', cases: [{ rule: { event: 'Order Paid', measure: 'count', gte: 2 } }] }), 200);
  await refused(kith, 404, 'not_found', 'PUT', '/journeys/names', { token: token.wendy, body: { trigger, ...waiting } });
  await as('wendy', 422, 'POST', '/journeys/wecom__hi/enter', { customers: [id.tom] });
  await as('wendy', 422, 'POST', '/journeys/wecom__hi/enter', { segment: 'all-buyers' });
  await as('wendy', 404, 'POST', '/journeys/wecom__hi/move', { customer: id.tom, action: 'exit' });
});

test('sends by hand go to who is seen, by what is hers; a preview is filled in with what she sees', real, async () => {
  const sms = (text) => ({ channel: 'sms', parts: { template_code: 'SMS_1', text } });
  await as('wendy', 200, 'PUT', '/templates/wecom__hi', sms('{{ customer.city }}/{{ customer.vip_level | default: "-" }}'));
  await expect(kith, 200, 'PUT', '/templates/house', { body: sms('hi') });
  const send = (login, status, body) => as(login, status, 'POST', '/touches', { campaign: 'c', key: 'k', channel: 'sms', ...body });
  const foreign = await send('wendy', 422, { template: 'wecom__hi', customers: [id.ann, id.tom] });
  const nobody = await send('wendy', 422, { template: 'wecom__hi', customers: [id.ann, 'c_0000000000000'] });
  assert.equal(foreign.detail.replaceAll(id.tom, 'X'), nobody.detail.replaceAll('c_0000000000000', 'X'));
  assert.ok(JSON.stringify(foreign).includes('/customers/1'), JSON.stringify(foreign));
  await send('wendy', 422, { template: 'house', customers: [id.ann] });
  const preview = async (login, one) => (await as(login, 200, 'POST', '/templates/wecom__hi/preview', { customer: id[one] })).parts.text;
  assert.equal(await preview('wendy', 'both'), '北京/-');
  assert.equal(await preview('boss', 'both'), '北京/gold');
  await as('wendy', 404, 'POST', '/templates/wecom__hi/preview', { customer: id.tom });
});

test("the calendar shows a team its own journeys, and counts whom it sees", real, async () => {
  await expect(kith, 200, 'PUT', '/channels/desk', { body: { kind: 'call_center', settings: {} } });
  await expect(kith, 200, 'PUT', '/templates/wecom__ring', { body: { name: 'ring', channel: 'call', parts: { text: 'ring' } } });
  const call = { start: 'w', nodes: { w: { type: 'wait', for: '1d', next: 'call' }, call: { type: 'task', channel: 'call', template: 'wecom__ring' } } };
  await as('wendy', 200, 'PUT', '/journeys/wecom__ring', { name: 'r', trigger: { type: 'api' }, ...call });
  await as('wendy', 200, 'POST', '/journeys/wecom__ring/publish', {});
  await until('it is live', async () => (await as('wendy', 200, 'GET', '/journeys/wecom__ring')).state === 'live');
  await as('wendy', 200, 'POST', '/journeys/wecom__ring/enter', { customers: [id.ann, id.both] });
  const waiting = async (login) => (await as(login, 200, 'GET', '/calendar')).items.filter((one) => one.kind === 'waiting').map((one) => [one.journey, one.team, one.count]);
  assert.deepEqual(await waiting('wendy'), [['wecom__ring', 'wecom', 2]]);
  assert.deepEqual(await waiting('tim'), []);
  assert.deepEqual((await expect(kith, 200, 'GET', '/calendar?team=tmall')).items.filter((one) => one.kind === 'waiting'), []);
});

test("what-if: a team's run simulates its own journey over its own customers", real, async () => {
  const begun = await as('wendy', 202, 'POST', '/journeys/wecom__hi/whatif', { days: 1 });
  const done = async (login, path) => {
    let run;
    await until('the run to end', async () => ['done', 'failed'].includes((run = await as(login, 200, 'GET', path)).state));
    return run;
  };
  const run = await done('wendy', `/journeys/wecom__hi/whatif/${begun.id}`);
  assert.equal(run.state, 'done', JSON.stringify(run).slice(0, 600));
  assert.equal(run.customers ?? run.result?.customers, 0);
  assert.deepEqual([run.result.budgets, run.result.coupon_pools], [[], []], 'the house spends and gives, too');
  const given = await as('wendy', 202, 'POST', '/journeys/wecom__hi/whatif', { days: 1, journey: { trigger: { type: 'event', event: 'Order Paid' }, ...waiting } });
  assert.ok(JSON.stringify(given.request).includes('team-view-wecom'));
  const whole = await expect(kith, 202, 'POST', '/journeys/wecom__hi/whatif', { body: { days: 1 } });
  await as('wendy', 404, 'GET', `/journeys/wecom__hi/whatif/${whole.id}`);
  assert.deepEqual((await as('wendy', 200, 'GET', '/journeys/wecom__hi/whatif')).items.map((one) => one.id).sort(), [begun.id, given.id].sort());
  await as('tim', 404, 'POST', '/journeys/wecom__hi/whatif', { days: 1 });
});

test('an adviser whose number is not her login sees her own customers', real, async () => {
  await person('zoe', 'advisers', ['adviser', 'analyst']);
  await customer('zoe', 'both', 404);
  await expect(kith, 200, 'PUT', '/users/zoe', { body: { adviser: 'mei' } });
  await customer('zoe', 'both');
  await customer('zoe', 'ann', 404);
  assert.deepEqual((await as('zoe', 200, 'GET', '/customers')).items.map((one) => one.one_id), [id.both]);
  assert.equal((await expect(kith, 200, 'GET', '/users')).items.find((one) => one.login === 'zoe').adviser, 'mei');
  await expect(kith, 200, 'PUT', '/users/zoe', { body: { adviser: '' } });
  await customer('zoe', 'both', 404);
});

test('traits are what all sources told: a team asks for those that were shared with it', real, async () => {
  const rule = { trait: 'vip_level', eq: 'gold' };
  for (const [method, path, body] of [
    ['POST', '/segments/preview', { rule }],
    ['PUT', '/segments/wecom__gold', { rule: { not: rule } }],
    ['PUT', '/journeys/wecom__gold', { trigger: { type: 'event', event: 'Order Paid' }, ...waiting, entry: { rule } }],
    ['PUT', '/journeys/wecom__gold', { trigger: { type: 'date', trait: 'vip_level', offset: '0d' }, ...waiting }],
    ['POST', '/segments/preview', { rule: { relation: 'adviser', eq: 'lily' } }],
    ['GET', '/customers?trait.vip_level=gold'],
  ]) assert.match((await as('wendy', 422, method, path, body)).detail, /is told by other teams' sources/, path);
  assert.equal((await as('boss', 200, 'POST', '/segments/preview', { rule })).count, 1);
  assert.equal((await as('mei', 200, 'POST', '/segments/preview', { rule })).count, 1); // sees all of her customers
  await expect(kith, 204, 'PUT', '/shares', { body: { kind: 'trait', key: 'vip_level', team: 'wecom', level: 'read' } });
  assert.equal((await as('wendy', 200, 'POST', '/segments/preview', { rule })).count, 1);
  await as('tim', 422, 'POST', '/segments/preview', { rule });
  await expect(kith, 204, 'PUT', '/shares', { body: { kind: 'trait', key: 'vip_level', team: 'wecom', level: 'none' } });
  await as('wendy', 422, 'POST', '/segments/preview', { rule });
});

test('small cells: counts are multiples of five for who may not see small ones, and no examples are named', real, async () => {
  await person('ana', null, ['analyst']);
  const ask5 = (method, path, body) => as('ana', 200, method, path, body);
  const preview = await ask5('POST', '/segments/preview', { rule: { event: 'Order Paid' } });
  assert.deepEqual([preview.count, preview.sample, preview.conditions.map((one) => one.count)], [0, [], [0]]);
  assert.ok(Object.values(preview.reachable).every((count) => count % 5 === 0));
  assert.equal((await ask5('GET', '/segments/all-buyers')).count, 0);
  assert.ok((await ask5('GET', '/segments')).items.every((one) => one.count % 5 === 0));
  assert.ok((await ask5('GET', '/segments/all-buyers/history')).points.every((one) => one.count % 5 === 0 && one.entered % 5 === 0));
  assert.deepEqual((await ask5('GET', '/segments/all-buyers/profile')).lines, []);
  const over = await ask5('POST', '/segments/overlap', { segments: ['all-buyers', 'wecom__buyers'] });
  assert.ok([...over.segments, ...over.intersections].every((one) => one.count === 0));
  assert.deepEqual((await ask5('POST', '/segments/map', { segments: ['all-buyers', 'wecom__buyers'] })).pairs, []);
  assert.equal((await ask5('GET', '/journeys/wecom__hi/report')).entered, 0);
  await expect(kith, 200, 'PUT', '/settings/access.small_cells', { body: { value: 2 } });
  assert.equal((await ask5('GET', '/segments/all-buyers')).count, 4);
  await expect(kith, 200, 'PUT', '/settings/access.small_cells', { body: { value: 0 } });
  assert.equal((await ask5('POST', '/segments/preview', { rule: { event: 'Order Paid' } })).sample.length, 4);
  await refused(kith, 422, 'unprocessable', 'PUT', '/settings/access.small_cells', { body: { value: -1 } });
});

test('X13: what was refused for want of a right stands in the audit, a burst of ten lines of one user', real, async () => {
  const user = (await expect(kith, 200, 'GET', '/users')).items.find((one) => one.login === 'ana');
  for (let i = 0; i < 15; i++) await as('ana', 403, 'PUT', '/segments/refused-one', { rule: { event: 'Order Paid' } });
  await as('ana', 403, 'GET', '/users');
  const lines = (await expect(kith, 200, 'GET', `/audit?action=access.refuse&user=${user.login}&limit=100`)).items;
  assert.ok(lines.some((line) => line.object === 'refused-one'), JSON.stringify(lines));
  assert.equal(lines.length, 10); // the virtual clock stands still
});
