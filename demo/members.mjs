// SPDX-License-Identifier: Apache-2.0
// members: what the house knows of its people beside what they did: consents, advisers, groups, courses, the list of members with
// levels and points, the scores of a model. All of it follows from the year of each person, so that the numbers fit each other.
import { bringBodies, bringFile, csv } from './import.mjs';
import { courseIds, groupOf } from './objects.mjs';
import { nameOf } from './world.mjs';

const DAY_MS = 86_400_000;
const EVENTS_PER_BODY = 100;
const VALUES_PER_CALL = 1000;
const levels = [[500_000, '黑金'], [200_000, '金卡'], [50_000, '银卡'], [0, '普通']];
/** From 0 to 1 by person and purpose, the same in each run. */
const share = (one, salt) => (Math.imul((one.person + 1) * 31 + salt, 2654435761) >>> 0) / 2 ** 32;
export const levelOf = (one) => levels.find(([fen]) => one.fen >= fen)?.[1] ?? '普通';

const externalOf = (id) => ({ type: id.type, id: id.value, collection: id.namespace || 'users', encoding: 'none' });
const told = (one, key, at, userId, ids, more) => ({
  messageId: `brand-${key}-${one.person}`, timestamp: at, ...(userId ? { userId } : { anonymousId: ids[0].value }),
  context: { historical: true, externalIds: ids.map(externalOf) }, ...more,
});
const later = (at, ms) => new Date(new Date(at).getTime() + ms).toISOString();

/** Consent when she became a member or a contact; some take a part of it back. */
function consents(one) {
  const user = one.of('user_id')?.value;
  const wecom = one.of('wecom_external_userid');
  const found = [];
  const decided = (source, key, at, event, purpose, evidence) =>
    found.push([source, told(one, key, at, source === 'crm' ? user : undefined, source === 'crm' ? [] : [wecom], { type: 'track', event, properties: { purpose, evidence } })]);
  if (user && one.since && share(one, 1) < 0.78) {
    decided('crm', 'agrees', one.since, 'Consent Granted', 'marketing', '注册时勾选');
    if (share(one, 2) < 0.05) decided('crm', 'no-sms', later(one.since, 30 * DAY_MS * share(one, 3)), 'Consent Withdrawn', 'sms', '回复 R 退订');
  } else if (wecom && one.added && share(one, 4) < 0.85) {
    decided('wecom', 'agrees', one.added, 'Consent Granted', 'marketing', '加好友时同意');
  }
  if (user && one.tested && share(one, 5) < 0.92) decided('crm', 'skin', one.tested, 'Consent Granted', 'skin_file', '肤质测试前同意');
  return found;
}

/** Her adviser; her group, once she has an adviser and a skin type; a course, for some who come into the store. */
function belongs(one) {
  const wecom = one.of('wecom_external_userid');
  const card = one.of('member_card');
  const found = [];
  if (wecom && one.added) found.push(['wecom', told(one, 'adviser', one.added, undefined, [wecom], { type: 'identify', traits: { adviser: one.adviser } })]);
  if (wecom && one.added && one.tested && share(one, 6) < 0.8) {
    const at = later(one.added > one.tested ? one.added : one.tested, 3_600_000);
    const group = groupOf(one.skin_type, one.person);
    found.push(['wecom', told(one, 'joins', at, undefined, [wecom], { type: 'track', event: 'Customer Group Joined', properties: { group_id: group } })]);
  }
  if (card && one.visited && share(one, 7) < 0.12) {
    const course = courseIds[one.person % courseIds.length];
    found.push(['store', told(one, 'course', later(one.visited, 600_000), undefined, [card],
                              { type: 'track', event: 'Course Opened', properties: { course_id: course, store_id: one.store } })]);
  }
  return found;
}

function* bodiesOf(people, keys, now) {
  const waiting = {};
  const body = (source) => JSON.stringify({ batch: waiting[source].splice(0), writeKey: keys[source].write_key });
  for (const one of people) {
    for (const [source, event] of [...consents(one), ...belongs(one)]) {
      if (event.timestamp >= now) continue;   // it has not happened yet
      (waiting[source] ??= []).push(event);
      if (waiting[source].length === EVENTS_PER_BODY) yield body(source);
    }
  }
  for (const source of Object.keys(waiting)) if (waiting[source].length > 0) yield body(source);
}

const inShanghai = (at) => new Date(new Date(at).getTime() + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/** The list as the member system exports it; two rows at its end are as people type them, and are refused with their reason. */
export async function bringMemberList(server, people) {
  const { mapping } = (await server.api('GET', '/imports/presets')).items.find((one) => one.key === 'members');
  const rows = people.filter((one) => one.since && (one.of('mobile') || one.of('member_card'))).map((one) => [
    one.of('member_card')?.value, one.of('mobile')?.value, one.name, levelOf(one), Math.max(0, Math.round(one.fen / 100)), inShanghai(one.since), one.store, one.adviser,
  ]);
  rows.push(['', '1.38E+10', '赵小姐', '普通', 0, '2026-01-05 10:00:00', '', ''], ['MC0000000000001', '', '钱女士', '银卡', 620, '05/01/2026', '', '']);
  const head = ['会员卡号', '手机号', '会员姓名', '会员等级', '积分', '入会时间', '归属门店', '专属导购'];
  return bringFile(server, { name: '会员名单.csv', text: csv(head, rows), mapping: { ...mapping, time: '[joined]' }, source: 'crm', dataSet: 'members' });
}

async function give(server, tag, values) {
  for (let from = 0; from < values.length; from += VALUES_PER_CALL)
    await server.api('POST', `/tags/${tag}/values`, { values: values.slice(from, from + VALUES_PER_CALL) });
}

const customerOf = (one) => {
  const { type, value, namespace } = nameOf(one);
  return { type, value, ...(namespace ? { namespace } : {}) };
};
/** A logistic curve over orders and days since the last stands for the model of the data people. */
function repurchase(one, now) {
  const days = (new Date(now) - new Date(one.lastOrder)) / DAY_MS;
  return Math.round(100 / (1 + Math.exp(0.9 - 0.28 * one.orders + 0.016 * days))) / 100;
}

/** Values that come from elsewhere: levels, a model's scores, and who was chosen by hand. */
export async function giveValues(server, people, now) {
  const known = people.filter((one) => nameOf(one) && one.role !== 'empty_parcel');
  await give(server, 'member_level', known.filter((one) => one.since).map((one) => ({ customer: customerOf(one), value: levelOf(one) })));
  await give(server, 'repurchase_30d', known.filter((one) => one.lastOrder).map((one) => ({ customer: customerOf(one), value: repurchase(one, now) })));
  const sharers = known.filter((one) => one.since).sort((a, b) => b.shared - a.shared || a.person - b.person).slice(0, 40);
  await give(server, 'koc', sharers.map((one, n) => ({ customer: customerOf(one), value: n < 10 ? '头部' : '腰部' })));
  const staff = known.filter((one) => one.of('user_id')).slice(-12);
  await server.api('POST', '/segments/staff/members', { add: staff.map(customerOf) });
}

export const bringWhatIsKnown = (server, keys, people, now) => bringBodies(server, bodiesOf(people, keys, now));
