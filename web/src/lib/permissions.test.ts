/* SPDX-License-Identifier: Apache-2.0 */
/* Rights: what patterns come to, how a changed set is written, and what two sets differ in. */
import { describe, expect, it } from 'vitest';
import { actionsOf, allRights, difference, expand, grouped, may, patternsFor, permissionTexts, rightWord, toggled, type Kind } from './permissions';
import { textIn } from './text';

const kinds: Kind[] = [
  { kind: 'user', actions: ['see', 'administer'] },
  { kind: 'tag', actions: ['see', 'change'] },
  { kind: 'small_cell', actions: ['see'] },
  { kind: 'robot', actions: ['see', 'paint'] },
];

describe('patterns', () => {
  it('come to all that they name', () => {
    expect([...expand(['*.see'], kinds)]).toEqual(['user.see', 'tag.see', 'small_cell.see', 'robot.see']);
    expect([...expand(['tag.*', 'user.see'], kinds)]).toEqual(['user.see', 'tag.see', 'tag.change']);
    expect(expand(['*'], kinds).size).toBe(7);
    expect(expand(['nothing.see', 'tag'], kinds).size).toBe(0);
  });

  it('stay as long as all that they name is chosen; what goes beyond is named', () => {
    const chosen = new Set([...expand(['*.see'], kinds), 'tag.change']);
    expect(patternsFor(chosen, kinds, ['*.see'])).toEqual(['*.see', 'tag.change']);
    expect(patternsFor(chosen, kinds, ['*.see', 'tag.*'])).toEqual(['*.see', 'tag.*']);
    chosen.delete('robot.see');
    expect(patternsFor(chosen, kinds, ['*.see'])).toEqual(['user.see', 'tag.see', 'tag.change', 'small_cell.see']);
    expect(patternsFor(new Set(), kinds, ['*'])).toEqual([]);
  });

  it('written and read again, any choice is the same', () => {
    const rights = allRights(kinds);
    for (let bits = 0; bits < 1 << rights.length; bits++) {
      const chosen = new Set(rights.filter((_, at) => (bits >> at) & 1));
      for (const before of [[], ['*'], ['*.see', 'tag.*'], ['gone.see', 'user.see']]) {
        expect([...expand(patternsFor(chosen, kinds, before), kinds)].sort()).toEqual([...chosen].sort());
      }
    }
  });
});

describe('the matrix', () => {
  it('has what a newer server adds, at the end', () => {
    expect(actionsOf(kinds)).toEqual(['see', 'change', 'administer', 'paint']);
    expect(grouped(kinds).map((one) => one.group)).toEqual(['customers', 'audience', 'settings', 'other']);
  });

  it('a right brings the one to see with it, and goes with it', () => {
    expect([...toggled(new Set(), 'tag.change', true, kinds)].sort()).toEqual(['tag.change', 'tag.see']);
    expect([...toggled(new Set(['tag.change', 'tag.see', 'user.see']), 'tag.see', false, kinds)]).toEqual(['user.see']);
    expect([...toggled(new Set(['tag.change', 'tag.see']), 'tag.change', false, kinds)]).toEqual(['tag.see']);
  });

  it('what changes is said both ways', () => {
    expect(difference(new Set(['tag.see', 'user.see']), new Set(['user.administer', 'user.see']), kinds)).toEqual({ gained: ['user.administer'], lost: ['tag.see'] });
  });
});

describe('may', () => {
  it('needs all that is wanted, and nothing where nothing is wanted', () => {
    expect(may(['tag.see'], undefined)).toBe(true);
    expect(may(['tag.see'], 'tag.see')).toBe(true);
    expect(may(['tag.see'], ['tag.see', 'tag.change'])).toBe(false);
    expect(may([], 'tag.see')).toBe(false);
  });
  it('is said in words, and by its code where there is none', () => {
    expect(rightWord('tag.change', textIn(permissionTexts, 'zh'))).toBe('编辑标签');
    expect(rightWord('tag.change', textIn(permissionTexts, 'en'))).toBe('change tags');
    expect(rightWord('robot.paint', textIn(permissionTexts, 'en'))).toBe('robot.paint');
  });
});
