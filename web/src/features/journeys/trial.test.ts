/* SPDX-License-Identifier: Apache-2.0 */
/* A trial lights the steps and ways that she came by, and says what became of what was sent. */
import { expect, it } from 'vitest';
import { endOf, eventOf, litOf, storyOf, toneOf, waysTaken, type Trial } from './trial';

const text = { zh: '', en: '' };
const step = (node: string, at: string, touch?: number): Trial['steps'][number] => ({ at, step: 'arrived', journey: 'four', node, name: '', what: '', detail: '', text, ...(touch === undefined ? {} : { touch }) });
const touch = (node: string, status: string, then: Trial['touches'][number]['then'] = []): Trial['touches'][number] => ({ at: '1', status, reason: '', detail: '', node, channel: 'sms', account: 'a', form: '', template: 't', purpose: 'marketing', then });
const trial: Trial = {
  journey: 'four', customer: 'c_1', from: '0', to: '9', entry: { allowed: true, reason: '' }, ended: true, partial: false, assumptions: [],
  steps: [step('$start', '1'), step('first', '1'), step('first', '1', 0), step('wait', '2'), step('again', '3', 1), step('wait', '4'), { ...step('first', '5'), journey: 'other' }],
  touches: [touch('first', 'held', [{ at: '2', status: 'sent', reason: '' }]), touch('again', 'suppressed')],
};

it('lights each step with its first time, how often, and how it went', () => {
  const lit = litOf(trial);
  expect([...lit.keys()]).toEqual(['$start', 'first', 'wait', 'again']);
  expect(lit.get('first')).toEqual({ first: '1', times: 1, tone: 'good' });
  expect(lit.get('wait')).toEqual({ first: '2', times: 2, tone: 'good' });
  expect(lit.get('again')?.tone).toBe('bad');
});

it('knows the ways she took', () => {
  expect([...waysTaken(trial)]).toEqual(['$start first', 'first wait', 'wait again', 'again wait']);
});

it('says what became of a touch, and tells the story of one step', () => {
  expect(endOf(trial.touches[0] as Trial['touches'][number])).toEqual({ status: 'sent', reason: '', at: '2' });
  expect([toneOf('held'), toneOf('failed'), toneOf('uncertain')]).toEqual(['warn', 'bad', 'plain']);
  expect(storyOf(trial, 'again')).toMatchObject([{ step: { node: 'again' }, touch: { status: 'suppressed' } }]);
  expect(storyOf(trial).length).toBe(7);
});

it('takes an event as JSON or none', () => {
  expect(eventOf(' ')).toBeUndefined();
  expect(eventOf('{"order_id":"1"}')).toEqual({ order_id: '1' });
  expect(eventOf('[1]')).toBeNull();
  expect(eventOf('{')).toBeNull();
});
