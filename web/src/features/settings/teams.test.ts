/* SPDX-License-Identifier: Apache-2.0 */
/* Teams: the tree, possible parents, the rule that counts, conditions there and back. */
import { describe, expect, it } from 'vitest';
import { conditionsOf, conditionText, flat, linesOf, ownerOf, possibleParents, ruleOf, sharedWith, treeOf, within, type Team } from './teams';

const team = (key: string, parent: string | null, change: Partial<Team> = {}): Team => ({ key, name: '', parent, customers: null, events: null, sources: [], accounts: [], changed_at: '2026-01-01T00:00:00Z', ...change });
const tmall = team('tmall', 'online', { events: [{ prop: 'channel', eq: 'tmall' }] });
const teams = [team('stores', null, { customers: { tag: 'store' } }), team('online', null), tmall, team('jd', 'online', { customers: { relation: 'adviser', eq: '$me' } }), team('lost', 'hidden')];

describe('the tree', () => {
  it('tops and what is below them; a parent that is not seen makes a top', () => {
    expect(flat(treeOf(teams)).map((one) => `${'-'.repeat(one.depth)}${one.team.key}`)).toEqual(['lost', 'online', '-jd', '-tmall', 'stores']);
    expect([...within('online', teams)].sort()).toEqual(['jd', 'online', 'tmall']);
  });
  it('nobody stands under herself, and no deeper than eight levels', () => {
    expect(possibleParents('online', teams).map((one) => one.team.key)).toEqual(['lost', 'stores']);
    const chain = Array.from({ length: 8 }, (_, at) => team(`l${at}`, at === 0 ? null : `l${at - 1}`));
    expect(possibleParents('new', chain).map((one) => one.team.key)).toEqual(['l0', 'l1', 'l2', 'l3', 'l4', 'l5', 'l6']);
    expect(possibleParents('two', [...chain, team('two', null), team('three', 'two')]).map((one) => one.team.key)).toEqual(['l0', 'l1', 'l2', 'l3', 'l4', 'l5']);
  });
});

describe('the rule that counts', () => {
  it('is its own, or that of its events', () => {
    expect(ruleOf(teams[0] as Team, teams)).toEqual({ tag: 'store' });
    expect(ruleOf(tmall, teams)).toEqual({ event: '*', where: [{ prop: 'channel', eq: 'tmall' }] });
  });
  it('of one that holds others together is theirs, unless it depends on who looks', () => {
    expect(ruleOf(team('online', null), [team('online', null), tmall])).toEqual({ event: '*', where: [{ prop: 'channel', eq: 'tmall' }] });
    expect(ruleOf(team('online', null), [tmall, team('wx', 'online', { customers: { tag: 'wx' } })])).toEqual({ any: [{ event: '*', where: [{ prop: 'channel', eq: 'tmall' }] }, { tag: 'wx' }] });
    expect(ruleOf(team('online', null), teams)).toBeNull();
    expect(ruleOf(team('alone', null), teams)).toBeNull();
  });
});

it('conditions are eq for one value and in for several, and come back', () => {
  const events = conditionsOf([{ prop: ' channel ', values: ['tmall'] }, { prop: 'brand', values: ['a', ' b', ''] }, { prop: '', values: ['x'] }, { prop: 'shop', values: [] }]);
  expect(events).toEqual([{ prop: 'channel', eq: 'tmall' }, { prop: 'brand', in: ['a', 'b'] }]);
  expect(conditionsOf(linesOf(events))).toEqual(events);
  expect(events.map((one) => conditionText(one, ', '))).toEqual(['channel = tmall', 'brand = a, b']);
  expect(conditionText({ prop: 'dealer_id', eq: 'd7' }, ', ', { dealer_id: 'Dealer' })).toBe('Dealer = d7');
  expect(linesOf(null)).toEqual([]);
});

it('a key says whose a thing is; shares with all count for each', () => {
  expect([ownerOf('wecom__welcome'), ownerOf('welcome'), ownerOf('__x')]).toEqual(['wecom', null, null]);
  const shares = [{ kind: 'segment' as const, key: 'vip', team: '*', level: 'read' as const }, { kind: 'tag' as const, key: 't', team: 'jd', level: 'use' as const }];
  expect(sharedWith('tmall', shares).map((one) => one.key)).toEqual(['vip']);
});
