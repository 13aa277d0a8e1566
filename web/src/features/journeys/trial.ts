/* SPDX-License-Identifier: Apache-2.0 */
/* trial: one customer's way through a draft, as marks on the canvas: which steps she comes by and when, which ways she takes, what becomes of what is sent. */
import type { Schemas } from '@/api/client';
import type { Tone } from '@/ui/Marks';

export type Trial = Schemas['JourneyTrial'];
export type TrialTouch = Trial['touches'][number];
export type TrialStep = Trial['steps'][number];

export interface Lit {
  first: string;
  times: number;
  tone: Tone;
}

const out = ['sent', 'delivered', 'confirmed', 'read', 'clicked', 'queued', 'sending'];

/* What became of a touch in the end: of later states the last. */
export function endOf(touch: TrialTouch): { status: string; reason: string; at: string } {
  const last = touch.then.at(-1);
  return last === undefined ? { status: touch.status, reason: touch.reason, at: touch.at } : { status: last.status, reason: last.reason, at: last.at };
}

export function toneOf(status: string): Tone {
  if (out.includes(status)) return 'good';
  return status === 'held' ? 'warn' : status === 'failed' || status === 'suppressed' ? 'bad' : 'plain';
}

/* Steps of this journey that she came by; a touch that did not go out marks its step. */
export function litOf(trial: Trial): Map<string, Lit> {
  const lit = new Map<string, Lit>();
  let before = '';
  for (const step of trial.steps) {
    if (step.journey !== trial.journey || step.node === '') continue;
    const held = lit.get(step.node);
    const touch = step.touch === undefined ? undefined : trial.touches[step.touch];
    const tone = touch === undefined ? (held?.tone ?? 'good') : toneOf(endOf(touch).status);
    lit.set(step.node, { first: held?.first ?? step.at, times: (held?.times ?? 0) + (before === step.node ? 0 : 1), tone });
    before = step.node;
  }
  return lit;
}

/* Pairs of steps that follow one another, as 'from to'. */
export function waysTaken(trial: Trial): Set<string> {
  const nodes = trial.steps.filter((step) => step.journey === trial.journey && step.node !== '').map((step) => step.node);
  return new Set(nodes.slice(1).flatMap((node, at) => (nodes[at] === node ? [] : [`${nodes[at] ?? ''} ${node}`])));
}

/* Steps with what they sent, in the order of time; `only`: of one node. */
export function storyOf(trial: Trial, only = ''): { step: TrialStep; touch: TrialTouch | null }[] {
  return trial.steps
    .filter((step) => only === '' || step.node === only)
    .map((step) => ({ step, touch: step.touch === undefined ? null : (trial.touches[step.touch] ?? null) }));
}

/* What is typed as the event that starts it: nothing, or a JSON object; null for what is none. */
export function eventOf(text: string): Record<string, unknown> | undefined | null {
  if (text.trim() === '') return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
