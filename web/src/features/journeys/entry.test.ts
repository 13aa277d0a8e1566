/* SPDX-License-Identifier: Apache-2.0 */
/* S34: who would enter is a rule that can be counted; what is sent and what it costs is read from the nodes. */
import { describe, expect, it } from 'vitest';
import { costOf, costOfAll, entryOf, entryTone, sendingsOf, templatesMissing } from './entry';
import { definitionOf, type JourneyCatalogue } from './model';

const words = { zh: '', en: '' };
const suppressed = { name: 'on_suppressed', type: 'node', needed: false, text: words };
const catalogue = { triggers: [], parts: {}, comparisons: [], steps: {}, nodes: [{ type: 'send', text: words, members: [suppressed] }, { type: 'coupon', text: words, members: [suppressed] }, { type: 'wait', text: words, members: [] }] } as unknown as JourneyCatalogue;

describe('S34: who enters', () => {
  it('an event is counted over the last month, with its conditions and the entry rule', () => {
    const journey = definitionOf({ trigger: { type: 'event', event: 'Order Paid', where: [{ prop: 'channel', eq: 'jd' }] }, entry: { rule: { has: 'mobile' }, segment: 'vip' } });
    expect(entryOf(journey)).toEqual({ rule: { all: [{ event: 'Order Paid', last: '30d', where: [{ prop: 'channel', eq: 'jd' }] }, { has: 'mobile' }, { segment: 'vip' }] }, isNow: false });
  });
  it('a segment is counted as it is now; the API alone cannot be counted', () => {
    expect(entryOf(definitionOf({ trigger: { type: 'segment', segment: 'vip' } }))).toEqual({ rule: { all: [{ segment: 'vip' }] }, isNow: true });
    expect(entryOf(definitionOf({ trigger: { type: 'api' } }))).toBeNull();
  });
  it('where nobody would enter the list warns', () => {
    expect([entryTone(0), entryTone(1), entryTone(20_000)]).toEqual(['warn', 'good', 'good']);
  });
});

describe('S34: what it costs', () => {
  const journey = definitionOf({ nodes: { a: { type: 'send', channel: 'sms' }, b: { type: 'coupon', coupon: 'x', cost: 500 }, c: { type: 'wait' } } });
  it('each sending by its own price, or its account’s', () => {
    const sendings = sendingsOf(journey, catalogue);
    expect(sendings.map((one) => [one.node, one.channel])).toEqual([['a', 'sms'], ['b', 'coupon']]);
    expect(costOf(sendings, (one) => (one.channel === 'sms' ? 5 : 99))).toBe(505);
  });
  it('all of them: a sending costs for those whom its channel reaches, one without a channel of messages for all', () => {
    expect(costOfAll(sendingsOf(journey, catalogue), () => 5, 1_000, { sms: 200 })).toBe(200 * 5 + 1_000 * 500);
  });
  it('a template that is not there is named once, with its channel', () => {
    const journey = definitionOf({ nodes: { a: { type: 'send', channel: 'sms', template: 'round_1' }, b: { type: 'send', channel: 'sms', template: 'round_1' }, c: { type: 'send', channel: 'wecom', template: 'there' }, d: { type: 'wait' } } });
    expect(templatesMissing(journey, new Set(['there']))).toEqual([{ key: 'round_1', channel: 'sms' }]);
    expect(templatesMissing(journey, new Set(['there', 'round_1']))).toEqual([]);
  });
});
