/* SPDX-License-Identifier: Apache-2.0 */
/* What the editors of tags find missing, histograms out of counts, thresholds, values by hand. */
import { describe, expect, it } from 'vitest';
import { binsOf, boundsTo, endOf, freshPart, freshTags, missingIn, movedBy, readGiven, stagePlace, stagesHigh, stageTemplates, standardBoxes, tagKinds, withThreshold } from './tag';

describe('what keeps a tag from being saved', () => {
  it('names it for each kind', () => {
    expect(missingIn(freshTags.rule)).toBe('nameMissing');
    expect(missingIn({ values: [{ value: 'a', rule: { all: [] } }, { value: 'a', rule: { all: [] } }] })).toBe('nameTwice');
    expect(missingIn({ values: [{ value: 'a', rule: { trait: '', eq: '' } }] })).toBe('ruleMissing');
    expect(missingIn({ values: [{ value: 'a', rule: { trait: 'city', eq: 'x' } }] })).toBeNull();
    expect(missingIn(freshTags.stage)).toBe('noValues');
    expect(missingIn(freshTags.score)).toBe('noParts');
    expect(missingIn({ kind: 'score', parts: [freshPart('event', 'visits')] })).toBe('partMissing');
    expect(missingIn({ kind: 'score', parts: [freshPart('measure', 'spent')] })).toBeNull();
    expect(missingIn({ ...freshTags.rfm, boxes: [{ name: '' }] })).toBe('boxMissing');
    for (const kind of ['rfm', 'count', 'manual', 'imported', 'model'] as const) expect(missingIn(freshTags[kind])).toBeNull();
    expect(tagKinds.every((kind) => freshTags[kind] !== undefined)).toBe(true);
  });
  it('takes the templates of stages as they are', () => {
    for (const template of Object.values(stageTemplates)) for (const stages of Object.values(template)) expect(missingIn({ kind: 'stage', stages: [...stages] })).toBeNull();
  });
});

describe('histograms', () => {
  it('come from counts of "at least"', () => {
    expect(binsOf([0, 1, 2, 4], [10, 7, 3, 1])).toEqual([{ from: 0, to: 1, count: 3 }, { from: 1, to: 2, count: 4 }, { from: 2, to: 4, count: 2 }]);
    expect(endOf([0, 1, 2, 4, 8], [100, 60, 30, 2, 1])).toBe(4);
    expect(endOf([0, 1], [5, 5])).toBe(1);
    expect(boundsTo(30, 10)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30]);
    expect(boundsTo(4, 40)).toEqual([0, 1, 2, 3, 4]);
    expect(boundsTo(100, 40).length).toBeLessThanOrEqual(41);
  });
  it('keep thresholds in order', () => {
    expect(withThreshold([1, 5, 9], 1, 20)).toEqual([1, 9, 9]);
    expect(withThreshold([1, 5, 9], 1, -4)).toEqual([1, 1, 9]);
    expect(withThreshold([1, 5, 9], 2, 20)).toEqual([1, 5, 20]);
  });
  it('name boxes for any number of levels', () => {
    const names = { champions: 'a', loyal: 'b', recent: 'c', promising: 'd', attention: 'e', sleeping: 'f', risk: 'g', lost: 'h', rest: 'i' };
    for (let levels = 2; levels <= 10; levels += 1) {
      for (const box of standardBoxes(levels, names)) for (const scores of [box['r'], box['f']]) if (Array.isArray(scores)) for (const score of scores) {
        expect(score).toBeGreaterThanOrEqual(1);
        expect(score).toBeLessThanOrEqual(levels);
      }
    }
  });
});

describe('lists', () => {
  it('move within their ends', () => {
    expect(movedBy(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c']);
    expect(movedBy(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c']);
    expect(movedBy(['a', 'b', 'c'], 2, 5)).toEqual(['a', 'b', 'c']);
  });
});

describe('values by hand', () => {
  it('are read line by line', () => {
    expect(readGiven('c_1, gold\n\nc_2', 'text')).toEqual({ lines: [{ who: 'c_1', value: 'gold' }, { who: 'c_2', value: null }], wrong: null });
    expect(readGiven('a,1\nb,x', 'number').wrong).toEqual({ line: 2, why: 'notNumber' });
    expect(readGiven('a，是\nb,no', 'bool').lines).toEqual([{ who: 'a', value: true }, { who: 'b', value: false }]);
  });
});

it('S16: stages stand beside each other, or below where there is no room, and never on one another', () => {
  expect([0, 1, 2].map((at) => stagePlace(at, false))).toEqual([{ x: 0, y: 60 }, { x: 196, y: 60 }, { x: 392, y: 60 }]);
  const down = [0, 1, 2, 3].map((at) => stagePlace(at, true));
  expect(new Set(down.map((one) => one.x))).toEqual(new Set([0]));
  expect(stagesHigh(4)).toBeGreaterThan((down.at(-1)?.y ?? 0) + 60);
});
